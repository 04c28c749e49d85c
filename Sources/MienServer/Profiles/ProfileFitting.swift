package import MienAdaptation
import MienCore
package import MienInference
package import MienONNX

/// Fits a model's last layer to the corrections of a profile, for `mien adapt` and for clients.
package struct ProfileFitting: Sendable {
  /// The profile.
  package let profile: ProfileName
  /// The corrections that count.
  package let corrections: [Correction]
  /// How many corrections were made with other weights; they are left out.
  package let otherWeights: Int
  /// The numbers of corrections that do not fit the model, whatever their rows say; they are left out.
  package let misfits: [Int64]
  /// Whether the fit helps with faces that it has not seen.
  package let check: AdaptationCheck
  /// The fit.
  package let fit: HeadAdaptation.Fit
  private let card: ModelCard
  private let owner: String?

  /// Fits `file` to `corrections`, all of one profile. Blocks.
  ///
  /// - Parameter budget: how far the readings of ordinary faces may change on average, in nats.
  /// - Throws: ``MienError`` of kind `mismatch` if no correction is of this model, or the model cannot be adapted.
  package init(
    _ profile: ProfileName, _ corrections: [Correction], model file: ONNXModel,
    budget: Double = HeadAdaptation.defaultBudget
  ) throws {
    let subject = "profile \(profile)"
    let card = try file.card()
    let own = corrections.filter { $0.weightsSHA256 == card.weightsSHA256 }
    guard !own.isEmpty else {
      throw MienError(
        .mismatch, subject,
        (corrections.count == 1
          ? "its correction was not made with \(card.name), but with "
          : "none of its \(corrections.count.grouped) corrections was made with \(card.name); they were made with ")
          + Self.models(of: corrections))
    }
    guard let reference = try file.embeddingReference() else {
      throw MienError(.mismatch, nil, "its file has no averages of embeddings; `mien reference` puts them there")
    }
    let labels = try card.widestLabels()
    let head = try file.linearHead(for: labels)
    let fitting = own.filter { $0.embedding.count == head.width && labels.index(of: $0.emotion) != nil }
    guard !fitting.isEmpty else { throw MienError(.mismatch, subject, "none of its corrections fits \(card.name)") }
    let examples = fitting.map { HeadAdaptation.Example(embedding: $0.embedding, emotion: $0.emotion) }
    let adaptation = try HeadAdaptation(original: head, reference: reference, divergenceBudget: budget)
    self.profile = profile
    self.card = card
    self.corrections = fitting
    otherWeights = corrections.count - own.count
    let fittingIDs = Set(fitting.map(\.id))
    misfits = own.map(\.id).filter { !fittingIDs.contains($0) }
    let owners = Set(fitting.map(\.owner))
    owner = owners.count == 1 ? owners.first.flatMap { $0.isEmpty ? nil : $0 } : nil
    check = try AdaptationCheck(adaptation, examples)
    fit = try adaptation.fit(examples)
  }

  /// The models of corrections: built-in ones by name, others by the start of their weights' hash.
  private static func models(of corrections: [Correction]) -> String {
    let names = Dictionary(
      BuiltInModels.names.compactMap { name in
        (try? BuiltInModels.model(named: name).card()).map { ($0.weightsSHA256, $0.name) }
      }, uniquingKeysWith: { first, _ in first })
    let found = Set(corrections.map { names[$0.weightsSHA256] ?? "the weights \($0.weightsSHA256.prefix(16))" })
    return found.sorted().joined(separator: " and ")
  }

  /// The layer, with what it was made from.
  package var head: AdaptedHead {
    AdaptedHead(
      head: fit.head, info: .init(profile: profile, model: card, fit: fit, check: check, owner: owner))
  }
}
