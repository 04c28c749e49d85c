import MienVision

/// A face's numbers as JSON and CSV write them, without digits that mean nothing. The web page passes them on as they come.
extension FaceReading {
  /// The score to 0.0001.
  var writtenScore: Double? { score?.rounded(decimals: 4) }

  /// The pose to a tenth of a degree.
  var writtenPose: FacePose? {
    pose.map {
      FacePose(
        yaw: $0.yaw.rounded(decimals: 1), pitch: $0.pitch.rounded(decimals: 1), roll: $0.roll.rounded(decimals: 1))
    }
  }

  /// The measures to 0.001; `nil` if the face has no landmarks.
  var writtenMeasures: FaceMeasures? {
    (face.landmarks?.measures).map {
      FaceMeasures(
        leftEyeOpenness: $0.leftEyeOpenness.rounded(decimals: 3),
        rightEyeOpenness: $0.rightEyeOpenness.rounded(decimals: 3),
        mouthOpenness: $0.mouthOpenness.rounded(decimals: 3), mouthWidth: $0.mouthWidth.rounded(decimals: 3),
        browRaise: $0.browRaise.rounded(decimals: 3))
    }
  }

  /// The six points to 0.01 pixels; `nil` if they are not known.
  var writtenPoints: FacePoints? {
    func written(_ point: Point) -> Point { Point(x: point.x.rounded(decimals: 2), y: point.y.rounded(decimals: 2)) }
    return face.points.map {
      FacePoints(
        leftEye: written($0.leftEye), rightEye: written($0.rightEye), nose: written($0.nose), mouth: written($0.mouth),
        leftEar: $0.leftEar.map(written), rightEar: $0.rightEar.map(written))
    }
  }

  /// The 468 points as x, y and z, to 0.01 pixels; `nil` if they are not known.
  var writtenMesh: [[Double]]? {
    face.landmarks?.points.map { [$0.x, $0.y, $0.z].map { $0.rounded(decimals: 2) } }
  }
}

extension Double {
  /// The nearest number of so many decimals. Zero has no sign: programs write that of -0 in different ways.
  fileprivate func rounded(decimals: Int) -> Double {
    let scale = (0..<decimals).reduce(1.0) { scale, _ in scale * 10 }
    return (self * scale).rounded() / scale + 0
  }
}
