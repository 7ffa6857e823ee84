import HostAccess
import LinuxHost

/// The kernel's own dump of all rules, thrown away as it comes: what reading cannot be faster than.
enum RuleDump {
    static func run() throws {
        let messages = try LiveHost().query(.nftRules())
        print(messages.count)
    }
}
