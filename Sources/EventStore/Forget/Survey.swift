/// What was counted for an act that destroys something, before the writer's thread does it.
enum Survey: Sendable {
  case subject(ShredSurvey)
  case findings(ShredFindings)
  case retention(RetentionSurvey)
  case expiry(ExpirySurvey)

  /// Throws `.corrupt` when it is of another kind of act.
  func subject() throws(StoreError) -> ShredSurvey {
    guard case .subject(let survey) = self else { throw .corrupt }
    return survey
  }

  func retention() throws(StoreError) -> RetentionSurvey {
    guard case .retention(let survey) = self else { throw .corrupt }
    return survey
  }

  func findings() throws(StoreError) -> ShredFindings {
    guard case .findings(let findings) = self else { throw .corrupt }
    return findings
  }

  func expiry() throws(StoreError) -> ExpirySurvey {
    guard case .expiry(let survey) = self else { throw .corrupt }
    return survey
  }
}
