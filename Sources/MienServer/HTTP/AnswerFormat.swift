import HTTPTypes
import Hummingbird

/// The form in which a client wants readings: it names one in the query (`format`), or in `Accept`.
enum AnswerFormat: String, CaseIterable {
  case json, jsonl, csv

  /// The form that a request asks for.
  ///
  /// - Parameter other: the form besides CSV: JSON, or JSON Lines.
  /// - Throws: ``APIError`` if the query names another one.
  init(_ query: Query, accept: String?, or other: AnswerFormat) throws {
    if let text = query.text("format") {
      guard let format = AnswerFormat(rawValue: text), format == .csv || format == other else {
        throw APIError.badRequest("format is \(other.rawValue) or csv.")
      }
      self = format
    } else {
      let csv = Self.weight(of: "text/csv", in: accept ?? "")
      self = csv > 0 && csv >= Self.weight(of: other.type, in: accept ?? "") ? .csv : other
    }
  }

  /// The media type without parameters.
  private var type: String {
    switch self {
    case .json: "application/json"
    case .jsonl: "application/x-ndjson"
    case .csv: "text/csv"
    }
  }

  /// The `Content-Type`.
  var contentType: String { self == .csv ? "text/csv; charset=utf-8; header=present" : type }

  /// An answer with `text` as its body.
  func response(_ text: String) -> Response {
    Response(
      status: .ok, headers: [.contentType: contentType, .vary: "Accept"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  /// How much a client wants a type (RFC 9110, section 12.5.1), 0…1; 0 if it does not name it.
  private static func weight(of type: String, in accept: String) -> Double {
    for part in accept.split(separator: ",") {
      let header = HeaderValue(String(part))
      guard header.value.lowercased() == type else { continue }
      return header.parameters["q"].map { Double($0) ?? 0 } ?? 1
    }
    return 0
  }
}
