import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import MienServer
import Testing

@Suite struct ContractTests {
  private static func document() throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: StaticFile.contract.data) as? [String: Any])
  }

  @Test func theDocumentHasTheRoutesThatAreServed() throws {
    let paths = try #require(try Self.document()["paths"] as? [String: [String: Any]])
    let documented = paths.mapValues { Set($0.keys.map { $0.uppercased() }) }
    let served = try TestServer.make().router().routes.methods.mapValues { Set($0.map(\.rawValue)) }
    #expect(documented == served)
  }

  @Test func everyReferenceLeadsSomewhereAndEveryOperationHasAName() throws {
    let document = try Self.document()
    var (names, linked): ([String], [String]) = ([], [])
    func walk(_ value: Any) {
      if let list = value as? [Any] { for element in list { walk(element) } }
      guard let object = value as? [String: Any] else { return }
      if let name = object["operationId"] as? String {
        // A link names an operation, an operation has answers.
        if object["responses"] == nil { linked.append(name) } else { names.append(name) }
      }
      if let reference = object["$ref"] as? String {
        var target: Any? = document
        for step in reference.split(separator: "/").dropFirst() { target = (target as? [String: Any])?[String(step)] }
        #expect(target != nil, "\(reference)")
      }
      for element in object.values { walk(element) }
    }
    walk(document)
    #expect(!names.isEmpty && Set(names).count == names.count)
    #expect(!linked.isEmpty && Set(linked).isSubset(of: names))
  }

  @Test func theDocumentIsServedAndCached() async throws {
    try await TestServer.make { $0.tokens = try AccessTokens(["0123456789abcdef"]) }.application().test(.router) {
      client in
      let response = try await client.execute(uri: "/openapi.json", method: .get)
      #expect(response.status == .ok)
      // This server keeps no corrections: its document is the whole one without them.
      let served = try #require(
        JSONSerialization.jsonObject(with: Data(response.body.readableBytesView)) as? [String: Any])
      let whole = try #require(JSONSerialization.jsonObject(with: StaticFile.contract.data) as? [String: Any])
      let (paths, all) = (served["paths"] as? [String: Any] ?? [:], whole["paths"] as? [String: Any] ?? [:])
      #expect(Set(paths.keys) == Set(all.keys.filter { !$0.hasPrefix("/v1/corrections") }) && paths.count < all.count)
      #expect(served["components"] as? NSDictionary == whole["components"] as? NSDictionary)
      #expect(StaticFile.contract(keepsCorrections: true, takesVideos: true).data == StaticFile.contract.data)
      let tag = try #require(response.headers[.eTag])
      for same in [tag, "*", "W/\(tag)", "\"other\", \(tag)"] {
        let again = try await client.execute(uri: "/openapi.json", method: .get, headers: [.ifNoneMatch: same])
        #expect(again.status == .notModified && again.body.readableBytes == 0)
      }
      let other = try await client.execute(uri: "/openapi.json", method: .get, headers: [.ifNoneMatch: "\"other\""])
      #expect(other.status == .ok)
    }
  }

  @Test func theVersionIsTheDocuments() async throws {
    struct Version: Decodable { let api, model, weightsSHA256: String }
    let expected = (try Self.document()["info"] as? [String: Any])?["version"] as? String
    try await TestServer.make().application().test(.router) { client in
      let version = try await client.execute(uri: "/version", method: .get).json(Version.self)
      #expect(version.api == expected && !version.model.isEmpty && version.weightsSHA256.count == 64)
    }
  }

  @Test func requestsKeepTheIdsThatTheyAreGiven() async throws {
    let field = try #require(HTTPField.Name("X-Request-Id"))
    try await TestServer.make().application().test(.live) { client in
      for (given, isKept) in [
        ("order-7/a:b", true), ("with space", false), (String(repeating: "x", count: 129), false),
      ] {
        for uri in ["/healthz", "/nothing"] {
          let response = try await client.execute(uri: uri, method: .get, headers: [field: given])
          let id = try #require(response.headers[field])
          #expect(isKept ? id == given : id.count == 32)
        }
      }
    }
  }

  @Test func metricsCountWhatWasDone() async throws {
    let picture = try TestServer.face(0)
    try await TestServer.make().application().test(.router) { client in
      for uri in ["/v1/detect?detector=none", "/v1/detect?detector=none", "/v1/detect?detector=magic"] {
        _ = try await client.execute(
          uri: uri, method: .post, headers: [.contentType: "image/png"], body: picture)
      }
      let metrics = try await client.execute(uri: "/metrics", method: .get)
      #expect(metrics.headers[.contentType]?.hasPrefix("text/plain; version=0.0.4") == true)
      let lines = String(buffer: metrics.body).split(separator: "\n")
      for line in [
        "mien_requests_total{method=\"POST\",route=\"/v1/detect\",status=\"200\"} 2",
        "mien_requests_total{method=\"POST\",route=\"/v1/detect\",status=\"400\"} 1",
        "mien_request_seconds_count{route=\"/v1/detect\"} 3", "mien_faces_total 2", "mien_pictures_total 2",
        "mien_pictures_active 0.0", "mien_sessions 0.0",
      ] {
        #expect(lines.contains { $0 == line }, "\(line)")
      }
      // Every sample has its type said before.
      for line in lines where !line.hasPrefix("#") {
        let name = line.prefix { $0 != "{" && $0 != " " }
        let family = ["_bucket", "_sum", "_count"].reduce(String(name)) { text, end in
          text.hasSuffix(end) ? String(text.dropLast(end.count)) : text
        }
        #expect(lines.contains { $0.hasPrefix("# TYPE \(family) ") || $0.hasPrefix("# TYPE \(name) ") }, "\(line)")
      }
    }
  }
}
