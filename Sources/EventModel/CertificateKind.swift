extension LedgerEntry.Act {
  /// What kind of certificate the act gets; nil when it erases no events.
  package var certificateKind: String? {
    switch self {
    case .subjectShredded: "subject"
    case .eventsShredded: "events"
    case .streamShredded: "stream"
    case .periodShredded: "period"
    case .tenantShredded: "tenant"
    case .periodsExpired: "expiry"
    default: nil
    }
  }
}
