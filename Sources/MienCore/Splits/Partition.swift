/// Deals faces out to parts of given shares. All draws come from a seed: equal input gives equal parts.
public enum Partition {
  /// Below this, a share of a face is rounding noise.
  private static let tolerance = 1e-9

  /// Parts in which each class has its share: every part holds at most one face of a class more or fewer than its share
  /// of that class, and rounding evens out over the classes.
  ///
  /// - Parameters:
  ///   - classes: the class of each face, [N]; one number throughout spreads faces without regard to classes.
  ///   - shares: what each part gets, at least 0, together 1.
  /// - Returns: the faces of each part, rising; together each face once.
  public static func stratified(classes: [Int], shares: [Double], seed: UInt64) -> [[Int]] {
    var random = SeededRandom(seed: seed)
    var parts = [[Int]](repeating: [], count: shares.count)
    var dealt = 0
    for members in grouped(classes) {
      dealt += members.count
      var sizes = shares.map { Int((Double(members.count) * $0 + tolerance).rounded(.down)) }
      let rounded = shares.indices.filter { Double(members.count) * shares[$0] - Double(sizes[$0]) > tolerance }
      // Who lacks most over all classes so far takes what rounding left.
      let lacking = rounded.sorted { a, b in
        func lack(_ part: Int) -> Double { Double(dealt) * shares[part] - Double(parts[part].count + sizes[part]) }
        return (-lack(a), a) < (-lack(b), b)
      }
      for part in lacking.prefix(members.count - sizes.reduce(0, +)) { sizes[part] += 1 }
      var rest = members.shuffled(using: &random)[...]
      for (part, size) in sizes.enumerated() {
        parts[part] += rest.prefix(size)
        rest = rest.dropFirst(size)
      }
    }
    return parts.map { $0.sorted() }
  }

  /// Parts that keep groups whole, and classes near their shares: the largest groups first, each goes to the part that
  /// is emptiest, for its share, of the group's classes.
  ///
  /// - Parameters:
  ///   - groups: the group of each face, [N]; faces of one group stay together.
  ///   - classes: the class of each face, [N].
  ///   - shares: what each part gets, at least 0, together 1.
  /// - Returns: the faces of each part, rising; together each face once. No part with a share is empty if there are as many
  ///   groups as such parts.
  public static func grouped(groups: [Int], classes: [Int], shares: [Double], seed: UInt64) -> [[Int]] {
    var random = SeededRandom(seed: seed)
    let shuffled = Array(grouped(groups).shuffled(using: &random).enumerated())
    let ordered = shuffled.sorted { (-$0.element.count, $0.offset) < (-$1.element.count, $1.offset) }.map(\.element)
    let totals = Dictionary(classes.map { ($0, 1.0) }, uniquingKeysWith: +)
    let open = shares.indices.filter { shares[$0] > 0 }
    var parts = [[[Int]]](repeating: [], count: shares.count)
    var counts = [[Int: Double]](repeating: [:], count: shares.count)
    for members in ordered {
      let own = Dictionary(members.map { (classes[$0], 1.0) }, uniquingKeysWith: +)
      func fill(_ part: Int) -> (Double, Double, Int) {
        let classes = own.keys.sorted().reduce(0.0) { sum, key in
          sum + own[key, default: 0] / totals[key, default: 1] * (counts[part][key, default: 0] + own[key, default: 0])
        }
        let faces = parts[part].reduce(members.count) { $0 + $1.count }
        return (classes / shares[part], Double(faces) / shares[part], part)
      }
      guard let target = open.min(by: { fill($0) < fill($1) }) else { break }
      parts[target].append(members)
      counts[target].merge(own, uniquingKeysWith: +)
    }
    for empty in open where parts[empty].isEmpty {
      guard let (part, group) = spare(in: parts, classes) else { break }
      parts[empty].append(parts[part].remove(at: group))
    }
    return parts.map { $0.joined().sorted() }
  }

  /// A group to move into an empty part: out of a part that keeps another, if possible one that keeps its classes, and the
  /// smallest of those; `nil` if every part has one group at most.
  private static func spare(in parts: [[[Int]]], _ classes: [Int]) -> (part: Int, group: Int)? {
    let places = parts.indices.filter { parts[$0].count > 1 }.flatMap { part in
      parts[part].indices.map { (part: part, group: $0) }
    }
    func cost(_ place: (part: Int, group: Int)) -> (Int, Int, Int, Int) {
      let members = parts[place.part][place.group]
      let others = parts[place.part].indices.filter { $0 != place.group }.flatMap { parts[place.part][$0] }
      let lost = Set(members.map { classes[$0] }).subtracting(others.map { classes[$0] })
      return (lost.count, members.count, place.part, place.group)
    }
    return places.min { cost($0) < cost($1) }
  }

  /// The faces of each group, by rising group.
  public static func grouped(_ groups: [Int]) -> [[Int]] {
    let members = Dictionary(grouping: groups.indices) { groups[$0] }
    return members.sorted { $0.key < $1.key }.map(\.value)
  }
}
