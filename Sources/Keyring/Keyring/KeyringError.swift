package import Storage

/// What can go wrong with keys and roots; each case says whose move it is.
package enum KeyringError: Error, Hashable, Sendable, StorageFailure {
  /// The tables failed; see ``StorageError``.
  case storage(StorageError)
  /// No holder has a root, or a holder's file is not there. The operator finds the right file.
  case rootMissing
  /// A holder's file is not a root holder, may be used by others, or could not be read or written.
  /// The operator's move.
  case rootUnreadable
  /// A holder belongs to another store. The operator names the right one.
  case rootOfAnotherStore
  /// The holders given are not those that were made together: one is left out, or given twice.
  case rootHolderSetWrong
  /// No holder that is there took the new root: nothing was destroyed. The operator brings one back.
  case holdersUnavailable
  /// ``Limits/rootHoldersMax`` holders exist.
  case tooManyHolders
  /// The last holder that has the root cannot go. The operator adds another first.
  case lastHolder
  /// The root is sealed under a factor that was not given. The operator gives it.
  case factorNeeded(RootFactor)
  /// The factor that was given does not open the root, or is no factor. The operator's move.
  case factorWrong
  /// A holder was to be made where a file is. The operator's move; it is never overwritten.
  case rootExists
  /// A keyring was to be made where one is. The caller's mistake; nothing was touched.
  case storageExists
  /// There is a root but no keyring. The operator restores the newest keyring.
  case storageMissing
  /// The keyring is older than the root: an old copy was restored. The operator fetches the newest.
  case storageRolledBack(storage: UInt64, root: UInt64)
  /// The root is older than the keyring: an old holder was restored. The operator fetches today's.
  case rootRolledBack(storage: UInt64, root: UInt64)
  /// A holder lies where an overwritten root may survive, and nobody accepted that.
  case weakMedium(WeakErasure)
  /// Another process has a holder open. The operator ends it.
  case holderBusy
  /// A node does not open under the key that its parent has for it. The operator restores the
  /// newest keyring.
  case corrupt
  /// The change is committed but an old root may still be in a holder: nothing may be called erased.
  /// ``Keyring/confirmErasure(now:)`` tries again, as do the next rotation and the next start.
  case erasureUnconfirmed
  /// No tenant has this number. The caller's mistake.
  case unknownTenant
  /// A tenant of this name exists. The caller's mistake.
  case tenantExists
  /// ``Limits/tenantsMax`` tenants exist.
  case tooManyTenants
  /// The tenant has no such class. The caller's mistake.
  case unknownClass
  /// The tenant has ``Limits/classesMax`` classes. The caller uses one of them.
  case tooManyClasses
  /// A slot that was never given out: the log is newer than the keyring. The operator restores the
  /// newest keyring; never to be taken for an erased key.
  case slotBeyondEnd
  /// A bound of the tenant is reached: classes, holes in a cover, or generations that have events.
  case tenantFull

  package init(_ storage: StorageError) { self = .storage(storage) }
}
