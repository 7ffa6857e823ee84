import Testing

@testable import ConfigFiles

/// What the shell's other files hold, by path.
private func files(_ files: [String: String]) -> (String) -> ShellFile {
    { path in files[path].map { .text(Array($0.utf8)) } ?? .missing }
}

private func value(_ text: String, _ name: String = "A", others: [String: String] = [:]) -> ShellValue? {
    ShellSettings(path: "/etc/default/x", text: text).evaluate(reader: files(others)).value(name)
}

@Test(arguments: [
    ("A=plain", "plain"), ("A=\"double quoted\"", "double quoted"), ("A='single $X'", "single $X"),
    ("A=a\\ b", "a b"), ("A=\"a\\\"b\\$c\"", "a\"b$c"), ("A=\"a\\xb\"", "a\\xb"), ("A=", ""), ("A=x # comment", "x"),
    ("A=x#y", "x#y"), ("export A=1", "1"), ("export B=2 A=3", "3"), ("readonly A=4", "4"), ("A=1;A=2", "2"),
    ("A=1\nA=2", "2"), ("# A=1\nA=2 # A=3", "2"), ("B=1\nA=$B", "1"), ("B=1\nA=${B}x", "1x"), ("A=${B:-d}", "d"),
    ("B=\nA=${B:-d}", "d"), ("B=\nA=${B-d}", ""), ("B=1\nA=${B:+set}", "set"), ("A=${B:+set}", ""),
    (": ${A:=x}", "x"), ("A=y\n: ${A:=x}", "y"), ("A=$UNSET", ""), ("A=a\\\nb", "ab"),
    ("A=\"two\nlines\"", "two\nlines"),
    ("A=x\r", "x\r"), ("A='it'\\''s'", "it's"), ("A=1 command\nA=2", "2"), ("A=${B:-${C:-deep}}", "deep"),
    ("A=\"${B:-\"q\"}\"", "q"), ("A=$", "$"), ("B=2 true; A=${B:-none}", "none"), ("A=1 || A=2", "1"),
    ("A=1 ||\n# c\n\nA=2", "1"), ("true &&\nA=2", "2"),
    ("A=1 && A=2", "2"), ("false || A=3", "3"), ("true && A=4", "4"), ("A=1\nfalse && A=2", "1"),
    ("A=1\nif false; then A=2; fi", "1"), ("if true; then A=2; else A=3; fi", "2"),
    ("if [ x = y ]; then A=2; elif [ -n z ]; then A=4; else A=3; fi", "4"), ("A=1\n(A=2)", "1"),
    ("[ \"x$B\" = \"x\" ] && A=empty", "empty"), ("A=1\nunset A\nA=${A-gone}", "gone"),
    ("cat <<EOF\nA=2\nEOF\nA=1", "1"), ("A=5 >/dev/null", "5"), ("A=1\nexit 0\nA=2", "1"), ("{ A=1; A=2; }", "2"),
    ("A=1\nf() {\n echo x\n}\n", "1"),
])
func shellValues(text: String, wanted: String) {
    #expect(value(text) == .known(wanted))
}

@Test(arguments: [
    "A=$(hostname)", "A=`hostname`", "A=$1", "A=${B%x}", "A=${#B}", "A=$((1+1))", "A=~/x", "A=$HOME/x",
    "if [ -d /x ]; then A=1; fi", "case x in\n x) A=1 ;;\nesac", "for i in 1 2; do A=$i; done", "maybe && A=1",
    "maybe || A=1", "f() { A=1; }", "eval A=1", "read A", "A=1\n. relative\n", "A=1\n. /$(x)", "A='open", "A=\"open",
    "A=${open", "A=$(open", "maybe && exit 0\nA=1", "A=1 | cat", "A=x\0y", "local A=1", "$(x)",
])
func shellUnknowns(text: String) {
    guard case .unknown? = value(text) else {
        Issue.record("\(text) gave \(String(describing: value(text)))")
        return
    }
}

@Test(arguments: [
    ("[ ! -f /f ] || . /f", "sourced"), ("[ -f /f ] && . /f", "sourced"), (". /f", "sourced"), ("source /f", "sourced"),
    ("A=before\n. /f", "sourced"), (". /f\nA=after", "after"), ("A=kept\n[ ! -f /none ] || . /none", "kept"),
    ("A=kept\n[ -f /none ] && . /none", "kept"), ("if [ -f /f ]; then . /f; fi", "sourced"),
    ("D=/\n. ${D}f", "sourced"), ("test -r /f && . /f", "sourced"),
])
func shellSourcing(text: String, wanted: String) {
    #expect(value(text, others: ["/f": "A=sourced\n"]) == .known(wanted))
}

@Test func debianDefaultsReadLxcNet() {
    let lxc =
        "USE_LXC_BRIDGE=\"false\"  # overridden in lxc-net\n\n[ ! -f /etc/default/lxc-net ] || . /etc/default/lxc-net\n"
    let environment = ShellSettings(path: "/etc/default/lxc", text: lxc).evaluate(
        reader: files(["/etc/default/lxc-net": "USE_LXC_BRIDGE=\"true\"\n"]))
    #expect(environment.value("USE_LXC_BRIDGE") == .known("true"))
    #expect(environment.location("USE_LXC_BRIDGE") == SourceLocation(file: "/etc/default/lxc-net", line: 1))
    #expect(environment.sourced == ["/etc/default/lxc", "/etc/default/lxc-net"])
    let alone = ShellSettings(path: "/etc/default/lxc", text: lxc).evaluate(reader: files([:]))
    #expect(alone.value("USE_LXC_BRIDGE") == .known("false"))
}

@Test func filesThatSourceEachOtherAreReadBoundedly() {
    let loop = ShellSettings(path: "/a", text: ". /a\n. /a\nA=1\n").evaluate(
        reader: files(["/a": ". /a\n. /a\nA=1\n"]))
    #expect(loop.sourced.count <= 64)
    let refused = ShellSettings(path: "/a", text: "A=1\n. /b\n").evaluate { _ in .unreadable("permission denied") }
    guard case .unknown(let reason)? = refused.value("A") else {
        Issue.record("a refused file may have set anything")
        return
    }
    #expect(reason.contains("permission denied"))
    let missing = ShellSettings(path: "/a", text: "A=1\n. /none\nA=2\n").evaluate(reader: files([:]))
    #expect(missing.exits == SourceLocation(file: "/a", line: 2))
    #expect(missing.value("A") == .known("1"))
}

@Test func hostileShellText() {
    let doubling = "A=xxxxxxxx\n" + String(repeating: "A=$A$A\n", count: 80)
    guard case .unknown? = value(doubling) else {
        Issue.record("a value may not grow without end")
        return
    }
    let deep = "A=" + String(repeating: "${B:-", count: 5000) + String(repeating: "}", count: 5000)
    #expect(value(deep) != nil)
    _ = value(String(repeating: "if true; then\n", count: 5000) + "A=1")
    _ = value(String(repeating: "\"${", count: 5000))
    _ = value("A=" + String(repeating: "y", count: 1 << 18))
    _ = value(String(repeating: "(", count: 5000))
    _ = ShellSettings(path: "/a", bytes: [0xff, 0xfe, 0x00, 0x24, 0x7b]).evaluate()
}

@Test(arguments: [
    ("A=1\n", "A=\"2\"\n"), ("A=\"1\" # why\nB=1\n", "A=\"2\" # why\nB=1\n"),
    ("export A=1 B=3\n", "export A=\"2\" B=3\n"),
    ("A=0\n#A=9\nA=1", "A=0\n#A=9\nA=\"2\""), ("B=1\n", "B=1\nA=\"2\"\n"), ("B=1", "B=1\nA=\"2\""), ("", "A=\"2\"\n"),
    ("A=1\nmaybe && A=5\n", "A=1\nmaybe && A=5\nA=\"2\"\n"), ("  A=1;B=2\n", "  A=\"2\";B=2\n"),
    ("A='a\nb'\nC=1\n", "A=\"2\"\nC=1\n"), ("# \u{e9}\nA=\n", "# \u{e9}\nA=\"2\"\n"),
    ("A\\\n=1\n", "A\\\n=1\nA=\"2\"\n"), ("[ ! -f /x ] || . /x\nA=1\n", "[ ! -f /x ] || . /x\nA=\"2\"\n"),
])
func shellEdits(before: String, after: String) throws {
    var settings = ShellSettings(path: "/x", text: before)
    try settings.set("A", to: "2")
    #expect(settings.text == after)
    #expect(settings.evaluate(reader: files([:])).value("A") == .known("2"))
}

@Test(arguments: ["a b", "it's", "\"quoted\"", "$HOME `x` \\", "", "#no comment", "10.5.0.2,10.5.255.254", "é"])
func shellQuoting(text: String) throws {
    var settings = ShellSettings(path: "/x", text: "A=1\n")
    try settings.set("A", to: text)
    try settings.set("B", to: text)
    #expect(settings.evaluate().value("A") == .known(text))
    #expect(settings.evaluate().value("B") == .known(text))
}

@Test(arguments: [
    ("A='open", "A", "1"), ("if true; then\n", "A", "1"), ("exit 0\n", "A", "1"), ("", "1A", "1"), ("", "A", "x\ny"),
])
func shellEditsRefused(text: String, name: String, value: String) {
    var settings = ShellSettings(path: "/x", text: text)
    #expect(throws: ConfigEditError.self) { try settings.set(name, to: value) }
    #expect(settings.text == text)
}
