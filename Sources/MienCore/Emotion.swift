/// An expression that Mien can name. A reading describes what a face shows, not what a person feels.
///
/// The eight classes of FER+; FER2013 has no `contempt` and CK+48 has no `neutral`. The order of cases carries no
/// meaning: the order of a model's outputs stands in its card and that of a data set's labels in its metadata.
public enum Emotion: String, CaseIterable, Codable, CodingKeyRepresentable, Sendable, Hashable, Comparable {
  case anger, contempt, disgust, fear, happiness, neutral, sadness, surprise

  /// Alphabetical, for stable tables.
  public static func < (a: Emotion, b: Emotion) -> Bool { a.rawValue < b.rawValue }

  /// Reads the names that data sets give their classes: `angry`, `Happy`, `0_sad`, `SURPRISED`, `happy faces`, `joie`, …
  ///
  /// Letter case, accents, digits, punctuation and filler words (`faces`, `images`, `class`, …) do not matter.
  ///
  /// - Returns: nil for a word that names none of the eight emotions, and for bare digits, whose meaning depends on the
  ///   data set.
  public init?(spelling: String) {
    guard let emotion = Spelling.key(spelling, fillers: Self.fillers, { Self.byWord[$0] }) else { return nil }
    self = emotion
  }

  /// The English words that name an emotion of `labels`, for messages: those of one emotion together.
  public static func spellings(in labels: LabelSet) -> [String] {
    labels.emotions.flatMap { spellings[$0]?.english ?? [] }
  }

  /// The known word that `word` resembles, as a misspelling does; nil for none.
  package static func nearest(to word: String) -> Emotion? {
    let letters = Spelling.folded(word).filter(\.isLetter)
    let limit = max(1, min(2, letters.count / 3))
    return Spelling.nearest(letters, among: byWord.keys.filter { $0.count > 2 }, atMost: limit).flatMap { byWord[$0] }
  }

  /// Words that stand beside an emotion's name in the names of folders.
  private static let fillers: Set<String> = [
    "class", "data", "emotion", "emotions", "expression", "face", "faces", "image", "images", "img", "imgs", "label",
    "photos", "pictures",
  ]

  /// English words and codes (JAFFE's and KDEF's two letters), then words of other languages.
  private static let spellings: [Emotion: (english: [String], other: [String])] = [
    .anger: (
      ["anger", "angry", "an"],
      [
        "wut", "wütend", "wuetend", "ärger", "aerger", "colère", "ira", "enojo", "enojado", "enfado", "rabbia", "raiva",
        "гнев", "злость", "öfke", "kızgın", "marah", "愤怒", "憤怒", "生气", "怒り", "분노",
      ]
    ),
    .contempt: (
      ["contempt", "contemptuous", "co"],
      [
        "verachtung", "mépris", "desprecio", "disprezzo", "desprezo", "презрение", "küçümseme", "蔑视", "轻蔑", "軽蔑",
        "경멸",
      ]
    ),
    .disgust: (
      ["disgust", "disgusted", "di"],
      [
        "ekel", "angeekelt", "dégoût", "asco", "disgusto", "nojo", "отвращение", "tiksinme", "iğrenme", "jijik", "厌恶",
        "嫌悪", "혐오",
      ]
    ),
    .fear: (
      ["fear", "fearful", "afraid", "scared", "fe"],
      [
        "angst", "furcht", "ängstlich", "aengstlich", "peur", "miedo", "paura", "medo", "страх", "korku", "takut",
        "恐惧", "害怕", "恐れ", "공포", "두려움",
      ]
    ),
    .happiness: (
      ["happiness", "happy", "joy", "ha"],
      [
        "freude", "glücklich", "gluecklich", "fröhlich", "froehlich", "joie", "heureux", "felicidad", "feliz",
        "alegría", "felicità", "felice", "gioia", "felicidade", "радость", "счастье", "mutlu", "mutluluk", "senang",
        "bahagia", "高兴", "开心", "快乐", "喜び", "幸せ", "행복", "기쁨",
      ]
    ),
    .neutral: (
      ["neutral", "neutrality", "normal", "ne"],
      [
        "neutre", "neutro", "neutrale", "neutralität", "neutralitaet", "нейтральное", "нейтральный", "nötr", "netral",
        "中性", "中立", "无表情", "無表情", "중립", "무표정",
      ]
    ),
    .sadness: (
      ["sadness", "sad", "sa"],
      [
        "trauer", "traurig", "tristesse", "triste", "tristeza", "tristezza", "грусть", "печаль", "üzgün", "üzüntü",
        "sedih", "悲伤", "伤心", "悲しみ", "슬픔",
      ]
    ),
    .surprise: (
      ["surprise", "surprised", "su"],
      [
        "überraschung", "überrascht", "ueberraschung", "ueberrascht", "surpris", "sorpresa", "sorprendido", "sorpreso",
        "surpresa", "удивление", "şaşkın", "şaşırma", "terkejut", "惊讶", "驚き", "놀람",
      ]
    ),
  ]

  private static let byWord: [String: Emotion] = Dictionary(
    spellings.flatMap { emotion, words in
      (words.english + words.other).map { (Spelling.folded($0), emotion) }
    }, uniquingKeysWith: { first, _ in first })
}
