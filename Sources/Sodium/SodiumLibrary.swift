import CSodium

/// Starts libsodium once; every entry point of this module goes through it.
package enum SodiumLibrary {
  /// True when the library is usable (`sodium_init`); the program must end when it is not.
  package static let isReady = sodium_init() >= 0

  /// True when this processor computes AES-256-GCM in hardware; libsodium has no other.
  package static let hasAES256GCM = isReady && crypto_aead_aes256gcm_is_available() == 1
}
