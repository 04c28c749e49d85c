import CMienServerSupport
import Foundation
import Synchronization

/// Counts what the server does, in Prometheus's text format (version 0.0.4).
final class Metrics: Sendable {
  /// Upper edges of the buckets of durations, in seconds.
  private static let edges = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

  /// A value that is read when the metrics are.
  typealias Gauge = @Sendable () -> Double

  private struct Durations {
    var buckets = [Int](repeating: 0, count: edges.count)
    var count = 0
    var sum = 0.0

    mutating func add(_ seconds: Double) {
      count += 1
      sum += seconds
      for (index, edge) in edges.enumerated() where seconds <= edge { buckets[index] += 1 }
    }

    /// The lines of a histogram whose series has one label.
    func lines(_ name: String, _ label: String) -> [String] {
      zip(edges, buckets).map { edge, count in "\(name)_bucket{\(label),le=\"\(edge)\"} \(count)" } + [
        "\(name)_bucket{\(label),le=\"+Inf\"} \(count)", "\(name)_sum{\(label)} \(sum)",
        "\(name)_count{\(label)} \(count)",
      ]
    }
  }

  /// What a picture goes through.
  enum Stage: String, CaseIterable {
    /// Waiting for its turn.
    case wait
    /// Decoding.
    case decode
    /// The search for faces, and cutting them out.
    case find
    /// The network, with the wait for the batch before.
    case classify
  }

  private struct RequestKey: Hashable {
    let method: String
    let route: String
    let status: Int
  }

  /// Counts by the value of a label; by the empty text if there is no label.
  private struct Counter {
    let label: String?
    var counts: [String: Int]
  }

  private struct State {
    var requests: [RequestKey: Int] = [:]
    var durations: [String: Durations] = [:]
    var stages = Dictionary(uniqueKeysWithValues: Stage.allCases.map { ($0, Durations()) })
    var counters: [String: Counter] = [:]
    var help: [String: String] = [:]
    var gauges: [String: Gauge] = [:]
  }

  private let state = Mutex(State())

  /// The counter of requests for which there was no room.
  static let refused = "mien_refused_total"
  /// The counter of connections that were closed to make room.
  static let evicted = "mien_connections_evicted_total"

  init() {
    declareCounter(
      Self.refused, "Requests for which there was no room.", by: "reason", APIError.Shortage.allCases.map(\.rawValue))
  }

  /// Names a counter and starts it at 0.
  ///
  /// - Parameters:
  ///   - label: what it counts by; nil if it is one number.
  ///   - values: of the label.
  func declareCounter(_ name: String, _ help: String, by label: String? = nil, _ values: [String] = [""]) {
    state.withLock {
      $0.counters[name] = Counter(label: label, counts: Dictionary(values.map { ($0, 0) }, uniquingKeysWith: +))
      $0.help[name] = help
    }
  }

  /// Names a value that goes up and down.
  func declareGauge(_ name: String, _ help: String, _ value: @escaping Gauge) {
    state.withLock {
      $0.gauges[name] = value
      $0.help[name] = help
    }
  }

  /// Adds to a counter, of one of its label's values.
  func add(_ count: Int = 1, to name: String, _ value: String = "") {
    state.withLock { $0.counters[name]?.counts[value, default: 0] += count }
  }

  /// Counts a request. Methods and routes are those that the server knows, so their number is bounded.
  func request(method: String, route: String, status: Int, seconds: Double) {
    let method = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(method) ? method : "other"
    state.withLock { state in
      state.requests[RequestKey(method: method, route: route, status: status), default: 0] += 1
      state.durations[route, default: Durations()].add(seconds)
    }
  }

  /// Counts the time that a picture spent in a stage.
  func time(_ stage: Stage, _ duration: Duration) {
    state.withLock { $0.stages[stage]?.add(duration / .seconds(1)) }
  }

  /// Everything, as text.
  var text: String {
    let state = state.withLock { $0 }
    var lines: [String] = []
    func head(_ name: String, _ type: String, _ help: String) {
      lines += ["# HELP \(name) \(help)", "# TYPE \(name) \(type)"]
    }
    head("mien_requests_total", "counter", "Requests answered.")
    for (key, count) in state.requests.sorted(by: { "\($0.key)" < "\($1.key)" }) {
      lines.append(
        "mien_requests_total{method=\"\(key.method)\",route=\"\(key.route)\",status=\"\(key.status)\"} \(count)")
    }
    head("mien_request_seconds", "histogram", "Time from a request's head to its answer.")
    for (route, durations) in state.durations.sorted(by: { $0.key < $1.key }) {
      lines += durations.lines("mien_request_seconds", "route=\"\(route)\"")
    }
    head("mien_stage_seconds", "histogram", "Time that a picture spends in a stage.")
    for stage in Stage.allCases {
      lines += (state.stages[stage] ?? Durations()).lines("mien_stage_seconds", "stage=\"\(stage.rawValue)\"")
    }
    for (name, counter) in state.counters.sorted(by: { $0.key < $1.key }) {
      head(name, "counter", state.help[name] ?? "")
      for (value, count) in counter.counts.sorted(by: { $0.key < $1.key }) {
        lines.append("\(name)\(counter.label.map { "{\($0)=\"\(value)\"}" } ?? "") \(count)")
      }
    }
    for (name, value) in state.gauges.sorted(by: { $0.key < $1.key }) {
      head(name, "gauge", state.help[name] ?? "")
      lines.append("\(name) \(value())")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

/// What the kernel says of a process.
package enum ProcessMemory {
  /// Bytes in memory of this process; 0 where the kernel does not tell.
  package static var resident: Double { pages("self").first ?? 0 }

  /// Bytes in memory that a process has for itself, without those of files such as libraries; 0 where the kernel does not tell.
  static func own(of id: pid_t) -> Int {
    let pages = pages("\(id)")
    return pages.count > 1 ? Int(pages[0] - pages[1]) : 0
  }

  /// Gives memory that was freed, and that is kept for later, back to the system: pictures that were worked on together leave
  /// hundreds of megabytes of it.
  package static func returnFreed() { mien_return_freed_memory() }

  /// The bytes of a process that are in memory, and those among them of files.
  private static func pages(_ process: String) -> [Double] {
    let text = (try? String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)) ?? ""
    return text.split(separator: " ").dropFirst().prefix(2)
      .map { (Double($0) ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE))) }
  }
}
