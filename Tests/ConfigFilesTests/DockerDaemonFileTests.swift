import Foundation
import Testing

@testable import ConfigFiles

private let key = "ip-forward-no-drop"

@Test(arguments: [
    ("{}", "{\n    \"ip-forward-no-drop\": true\n}"),
    ("{\n}\n", "{\n    \"ip-forward-no-drop\": true\n\n}\n"),
    ("{\"a\":1}", "{\"ip-forward-no-drop\": true,\"a\":1}"),
    ("{\n  \"a\": {\"b\": [1, \"}\"]}\n}\n", "{\n  \"ip-forward-no-drop\": true,\n  \"a\": {\"b\": [1, \"}\"]}\n}\n"),
    ("{\"ip-forward-no-drop\" : false , \"z\":null}", "{\"ip-forward-no-drop\" : true , \"z\":null}"),
    // A key of the same name that is not the object's own.
    (
        "{\"a\": {\"ip-forward-no-drop\": false}}",
        "{\"ip-forward-no-drop\": true,\"a\": {\"ip-forward-no-drop\": false}}"
    ),
])
func dockerSetting(before: String, after: String) throws {
    let file = try #require(DockerDaemonFile(bytes: Array(before.utf8)))
    let edited = file.setting(key, to: "true")
    #expect(String(decoding: edited, as: UTF8.self) == after)
    #expect(DockerDaemonFile(bytes: edited)?.value(key) == "true")
    let object = try #require(try JSONSerialization.jsonObject(with: Data(edited)) as? [String: Any])
    #expect(object[key] as? Bool == true)
}

@Test(arguments: [
    "", "[]", "true", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1} x", "{\"a\":\"\n\"}", "{\"a\":[1}",
    "{// x\n}",
    "{\"a\":\"\\\"}", "{\"a\":" + String(repeating: "[", count: 100_000),
])
func dockerNotUnderstood(text: String) {
    #expect(DockerDaemonFile(bytes: Array(text.utf8)) == nil)
}

@Test(arguments: [
    ("[keyfile]\nunmanaged-devices=mac:1;interface-name:a\n", "mac:1 interface-name:a"),
    ("[keyfile]\nunmanaged-devices=a,b\nunmanaged-devices+=c\n", "a b c"),
    ("[keyfile]\nunmanaged-devices+=c\nunmanaged-devices=a\n", "a"), ("[main]\nunmanaged-devices=a\n", ""),
    (NetworkManagerConf.leavingAlone(["a", "b"]), "a b"),
])
func networkManagerLeavesAlone(text: String, devices: String) {
    let conf = NetworkManagerConf(path: "", bytes: Array(text.utf8))
    #expect(conf.unmanagedDevices.joined(separator: " ") == devices)
}

@Test(arguments: [
    ("[device]\nmanaged=true\n", true), ("[device]\nmanaged=false\n", false), ("[device]\nnm-owned=true\n", false),
    ("", false),
])
func networkManagerManages(text: String, expected: Bool) {
    #expect(NetworkManagerDevice(text: text).isManaged == expected)
}
