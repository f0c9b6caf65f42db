/// What was counted for an act that destroys something, before the writer's thread does it.
enum Survey: Sendable {
  case shred(PlanSurvey)
  case retention(RetentionSurvey)
  case expiry(ExpirySurvey)
  case accessPage(AccessPage)
  /// Not counted, but read from the log all the same.
  case bundle(BundleAnswer)
  case held(HoldExport)
  case incident(IncidentSurvey)

  /// Throws `.corrupt` when it is of another kind of act.
  func shred() throws(StoreError) -> PlanSurvey {
    guard case .shred(let survey) = self else { throw .corrupt }
    return survey
  }

  func retention() throws(StoreError) -> RetentionSurvey {
    guard case .retention(let survey) = self else { throw .corrupt }
    return survey
  }

  func incident() throws(StoreError) -> IncidentSurvey {
    guard case .incident(let survey) = self else { throw .corrupt }
    return survey
  }

  func accessPage() throws(StoreError) -> AccessPage {
    guard case .accessPage(let page) = self else { throw .corrupt }
    return page
  }

  func bundle() throws(StoreError) -> BundleAnswer {
    guard case .bundle(let answer) = self else { throw .corrupt }
    return answer
  }

  func held() throws(StoreError) -> HoldExport {
    guard case .held(let export) = self else { throw .corrupt }
    return export
  }

  func expiry() throws(StoreError) -> ExpirySurvey {
    guard case .expiry(let survey) = self else { throw .corrupt }
    return survey
  }
}
