package struct KeyringStatus: Sendable {}
package struct RotationReceipt: Sendable {}
