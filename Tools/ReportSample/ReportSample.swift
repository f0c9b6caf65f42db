package import AuditReport

/// Writes the page of a made-up audit to standard output: `lethe-report-sample busy`.
@main
struct ReportSample {
  static func main() {
    guard CommandLine.arguments.count == 2, let sample = Sample(rawValue: CommandLine.arguments[1])
    else {
      print("usage: lethe-report-sample \(Sample.allCases.map(\.rawValue).joined(separator: "|"))")
      return
    }
    print(String(decoding: ReportPage(sample.model).bytes, as: UTF8.self), terminator: "")
  }
}

/// Audits that nobody made, for the tests and for looking at.
package enum Sample: String, CaseIterable {
  /// A store of two years with some findings.
  case busy
  /// A young store without any.
  case clean
  /// Whoever forged this bundle also tried to forge the page.
  case forged
  /// There was nothing to check.
  case empty
  /// As much of everything as a large store has.
  case large

  package var model: ReportModel {
    switch self {
    case .busy: SampleModels.busy()
    case .clean: SampleModels.clean()
    case .forged: SampleModels.forged()
    case .empty: SampleModels.empty()
    case .large: SampleModels.large()
    }
  }
}
