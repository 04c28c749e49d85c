#!/usr/bin/env python3
"""Writes Tests/MienCoreTests/Fixtures/metrics.json: metrics of made-up predictions as scikit-learn 1.9 gives them,
and Wilson intervals as SciPy does.

    pip install scikit-learn==1.9.1 && scripts/golden/metrics.py

Cases: ordinary; many tied scores; a class without a face and one never predicted; one certain mistake; two classes.
"""
import json
import pathlib

import numpy as np
from scipy.stats import binomtest
from sklearn import metrics

OUT = pathlib.Path(__file__).resolve().parents[2] / "Tests/MienCoreTests/Fixtures/metrics.json"
FERPLUS = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"]
CKPLUS = ["anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise"]


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True)).astype(np.float32)


def calibration(truth, p):
    """Guo et al. 2017, eq. 3: 15 bins (lower, upper]."""
    top = p.max(axis=1).astype(np.float64)
    right = p.argmax(axis=1) == truth
    index = np.clip(np.ceil(top * 15).astype(int) - 1, 0, 14)
    bins, ece = [], 0.0
    for b in range(15):
        inside = index == b
        n = int(inside.sum())
        confidence = float(top[inside].mean()) if n else None
        accuracy = float(right[inside].mean()) if n else None
        bins.append({"count": n, "confidence": confidence, "accuracy": accuracy})
        ece += n / len(truth) * abs(accuracy - confidence) if n else 0
    return {"ece": ece, "bins": bins}


def case(name, classes, truth, p):
    k = len(classes)
    prediction = p.argmax(axis=1)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, prediction, labels=range(k), zero_division=0)
    present = sorted(set(truth.tolist()))
    macro = metrics.precision_recall_fscore_support(
        truth, prediction, labels=present, average="macro", zero_division=0)
    auc, roc = [], []
    for c in range(k):
        positive = truth == c
        if positive.all() or not positive.any():
            auc.append(None)
            roc.append(None)
            continue
        auc.append(metrics.roc_auc_score(positive, p[:, c]))
        fpr, tpr, _ = metrics.roc_curve(positive, p[:, c], drop_intermediate=False)
        roc.append({"fpr": fpr.tolist(), "tpr": tpr.tolist()})
    return {
        "name": name, "classes": classes, "truth": truth.tolist(), "probabilities": p.ravel().tolist(),
        "confusion": metrics.confusion_matrix(truth, prediction, labels=range(k)).tolist(),
        "accuracy": metrics.accuracy_score(truth, prediction),
        "balancedAccuracy": metrics.balanced_accuracy_score(truth, prediction),
        "macroPrecision": macro[0], "macroRecall": macro[1], "macroF1": macro[2],
        "precision": precision.tolist(), "recall": recall.tolist(), "f1": f1.tolist(), "support": support.tolist(),
        "auc": auc, "roc": roc, "logLoss": metrics.log_loss(truth, p, labels=range(k)),
        "calibration": calibration(truth, p),
    }


def main():
    r = np.random.default_rng(20131)
    truth = r.integers(0, 8, 120)
    ordinary = softmax(r.normal(size=(120, 8)) + 2 * np.eye(8)[truth])
    tied_truth = r.integers(0, 7, 90)
    raw = np.round(softmax(r.normal(size=(90, 7)) + np.eye(7)[tied_truth]) * 4) + 0.5
    tied = (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)
    lacking_truth = np.where(r.integers(0, 8, 80) == 7, 0, r.integers(0, 7, 80))
    logits = r.normal(size=(80, 8)) + np.eye(8)[lacking_truth]
    logits[:, 6] = -20
    certain = np.zeros((4, 8), np.float32)
    certain[[0, 1, 2, 3], [0, 1, 2, 2]] = 1
    cases = [
        case("ordinary", FERPLUS, truth, ordinary),
        case("tied", CKPLUS, tied_truth, tied),
        case("lacking", FERPLUS, lacking_truth, softmax(logits)),
        case("certain", FERPLUS, np.array([0, 1, 2, 5]), certain),
        case("two", ["happiness", "neutral"], np.array([0, 1, 1, 0, 1]),
             np.array([[.9, .1], [.6, .4], [.2, .8], [.4, .6], [.6, .4]], np.float32)),
    ]
    intervals = []
    for successes, count in [(8, 10), (0, 20), (20, 20), (2777, 3199), (1, 1)]:
        interval = binomtest(successes, count).proportion_ci(method="wilson")
        intervals.append({"successes": successes, "count": count, "lower": interval.low, "upper": interval.high})
    golden = {"producer": "scripts/golden/metrics.py", "cases": cases, "intervals": intervals}
    OUT.write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
