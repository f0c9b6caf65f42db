import Keyring
import Storage

extension StoreError {
  /// What a failure of the tables means to a client.
  init(_ error: StorageError) {
    self =
      switch error {
      case .noSpace: .noSpace
      case .ioFailure: .ioFailure
      case .readOnly: .readOnly
      default: .corrupt
      }
  }

  /// What a failure of the keyring means to a client.
  init(_ error: KeyringError) {
    self =
      switch error {
      case .storage(let error): StoreError(error)
      case .unknownTenant: .noTenant
      case .tenantExists: .tenantExists
      case .tooManyTenants: .tooManyTenants
      case .tooManyClasses: .tooManyClasses
      case .storageRolledBack, .rootRolledBack: .rolledBack
      case .slotBeyondEnd: .rolledBack
      case .tenantFull: .tooManyHoles
      case .rootMissing, .rootUnreadable, .holdersUnavailable: .keyUnavailable
      case .erasureUnconfirmed: .erasurePending
      default: .corrupt
      }
  }

  /// Runs `body` and translates what it throws.
  static func translating<Result>(
    _ body: () throws(KeyringError) -> Result
  ) throws(StoreError) -> Result {
    do { return try body() } catch { throw StoreError(error) }
  }

  /// Runs `body` and translates what it throws.
  static func translatingStorage<Result>(
    _ body: () throws(StorageError) -> Result
  ) throws(StoreError) -> Result {
    do { return try body() } catch { throw StoreError(error) }
  }
}
