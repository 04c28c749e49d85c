"""Type-checks the Swift code of the pages against built modules, so that what a reader copies compiles.

    python3 scripts/check-snippets.py [PAGE…] -- SWIFTC-OPTION…

The options say where the modules are; scripts/docs.sh passes those of its build. Without pages, all of the documentation is
checked. The snippets of a page continue each other: each sees what those before it import and declare, and may declare a name
anew. A comment right before a snippet says what the page leaves out:

    <!-- with: let photo = URL(fileURLWithPath: "me.jpg") -->     code that the reader has; several lines are fine
    <!-- part of a manifest -->                                   lines of a Package.swift, which are not checked

Whole manifests are known by their first line. Swift files of the tutorial are checked one by one.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SNIPPET = re.compile(r"(?:<!--(?P<mark>(?:(?!-->).)*)-->\s*\n)?^```swift\n(?P<code>.*?)^```$", re.S | re.M)
IMPORT = re.compile(r"^import \w+$", re.M)


def program(page, name):
    """The snippets of a page as one file: imports first, then each in a scope inside the one before."""
    imports, body, depth, count = [], [], 0, 0
    for found in SNIPPET.finditer(page):
        mark, code = (found["mark"] or "").strip(), found["code"]
        if code.startswith("// swift-tools-version") or mark == "part of a manifest":
            continue
        count += 1
        line = page.count("\n", 0, found.start("code")) + 1
        # A blank line in the place of each import keeps the numbers of the lines.
        imports += IMPORT.findall(code)
        if depth:
            body.append("do {")
        depth += 1
        if mark.startswith("with:"):
            given = page.count("\n", 0, found.start("mark")) + 1
            body += [f'#sourceLocation(file: "{name}", line: {given})', mark.removeprefix("with:").strip()]
        body += [f'#sourceLocation(file: "{name}", line: {line})', IMPORT.sub("", code).rstrip("\n")]
    body += ["#sourceLocation()", "}" * max(depth - 1, 0)]
    lines = [*dict.fromkeys(imports), "func page() async throws {", *body, "}"]
    return count, "\n".join(lines) + "\n"


def problems(source, name, options):
    """What the compiler says of a file; an empty text if it compiles."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "Page.swift")
        path.write_text(source)
        done = subprocess.run(
            ["swiftc", "-typecheck", "-parse-as-library", "-swift-version", "6", "-suppress-warnings", *options, str(path)],
            capture_output=True,
            text=True,
        )
        said = (done.stdout + done.stderr).replace(str(path), name)
        return said if done.returncode else ""


def main(arguments):
    split = arguments.index("--") if "--" in arguments else len(arguments)
    named, options = arguments[:split], arguments[split + 1 :]
    pages = [ROOT / name for name in named] or [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "models").glob("*.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "docs").rglob("*.swift")),
    ]
    total, failed = 0, 0
    for page in pages:
        text, name = page.read_text(encoding="utf-8"), str(page.relative_to(ROOT))
        if page.suffix == ".swift":
            count, source = (0 if text.startswith("// swift-tools-version") else 1), text
        else:
            count, source = program(text, name)
        total += count
        said = problems(source, name, options) if count else ""
        if said:
            failed += 1
            print(said, file=sys.stderr)
    if failed or not total:
        sys.exit(f"check-snippets: {failed} of the pages hold Swift code that does not compile" if failed else "check-snippets: no Swift code")
    print(f"check-snippets: {total} snippets compile")


main(sys.argv[1:])
