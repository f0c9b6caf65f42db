/// What a file of LMDB has that LMDB itself would trust, crash on, or silently skip.
package struct PageFault: Error, Hashable, Sendable {
  /// What is wrong with the page, in words for an operator.
  package enum Problem: String, Sendable {
    case unreadable = "the file ends before it or cannot be read"
    case meta = "neither of the two first pages is a meta page of this format"
    case beyondEnd = "its number is beyond the last page"
    case visitedTwice = "two places lead to it"
    case number = "it carries another page's number"
    case kind = "it is of another kind than its place in the tree asks for"
    case layout = "its entries do not lie within it"
    case order = "its keys do not ascend or do not fit to its parent's"
    case depth = "a branch is longer or shorter than the tree's depth"
    case count = "the tree does not have as many pages or entries as it says"
    case feature = "it uses a feature that Lethe never uses"
    case freeList = "the list of free pages names pages that are in use or do not exist"
  }

  package let page: UInt64
  package let problem: Problem

  package init(page: UInt64, problem: Problem) {
    self.page = page
    self.problem = problem
  }

  /// One plain sentence without any content of the file.
  package var text: String { "page \(page): \(problem.rawValue)" }
}

/// What a walk over all pages of one file found.
package struct PageWalkReport: Hashable, Sendable {
  /// Pages up to the last one in use.
  package var pages: UInt64 = 0
  /// Pages that a table, a value or the free list itself occupies.
  package var used: UInt64 = 0
  /// Pages that the list of free pages names.
  package var free: UInt64 = 0
  /// Pages that nothing names: no danger, only lost room.
  package var lost: UInt64 = 0
  /// Entries of all tables.
  package var entries: UInt64 = 0

  package init() {}
}
