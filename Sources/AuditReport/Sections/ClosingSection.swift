/// What the report cannot say, how to get it again, and the words that it uses.
struct ClosingSection {
  let model: ReportModel

  func write(to page: inout Markup) {
    page.section("limits", "What this report cannot say", "") { section in
      section.element("ul") { list in
        for limit in Self.always + model.limits { list.element("li", text: limit) }
      }
    }
    page.section(
      "commands", "The same again",
      "The program needs the bundle and the verifier key: no network, no key of the store, no rights."
    ) { section in
      section.element("dl", ["class": "commands"]) { list in
        for command in model.commands {
          list.element("dt", text: command.purpose)
          list.element("dd") { $0.element("pre", text: command.line) }
        }
      }
    }
    page.section("words", "Words", "") { section in
      section.element("dl", ["class": "facts"]) { list in
        for (word, meaning) in Self.words {
          list.element("dt", text: word)
          list.element("dd", text: meaning)
        }
      }
    }
  }

  private static let always = [
    "Whether somebody copied a key, the root or readable data before it was destroyed.",
    "What happened to data that readers had already received.",
    "Whether what a person attests is true.",
  ]

  private static let words = [
    (
      "tenant",
      "a customer of the store, apart from all others by its keys; named by a random id here"
    ),
    ("event", "a fact that a program stored: what happened, when, and whom it is about"),
    ("class", "a rule for how long events of a kind are kept"),
    ("restricted", "kept, but shown to nobody"),
    ("hold", "an order to keep something, for example for a lawsuit, until it is lifted"),
    (
      "checkpoint", "a signed statement of how many entries a log has and of the hash over them all"
    ),
    (
      "certificate",
      "what the store signs about one erasure. Class E1: the old root was overwritten in place; E0: "
        + "nothing may be claimed of the medium that it lay on"
    ),
    ("root", "the key above all keys, kept outside the data directory"),
    ("ciphertext", "the encrypted form; unreadable once its keys are gone, and dropped later"),
  ]
}
