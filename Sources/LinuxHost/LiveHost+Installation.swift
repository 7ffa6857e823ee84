internal import HostAccess

/// Installing LXC by the package manager of the host.
extension LiveHost {
    /// Where it was cut short, the package is installed to its end; where that is not possible, it is removed.
    func install(by manager: PackageManager, again: Bool) throws(HostError) {
        let bounds = (milliseconds: 3_600_000, limit: 16 << 20)
        let command = manager.installation(again: again)
        guard isRestoring else {
            try runToEnd(command, milliseconds: bounds.milliseconds, limit: bounds.limit)
            return
        }
        // Cut short before the package was touched, there is nothing to complete.
        if manager.tellsHalves, try isSound(manager, again: again) { return }
        for step in manager.completion {
            do throws(HostError) {
                try runToEnd(step, milliseconds: bounds.milliseconds, limit: bounds.limit)
            } catch {
                // Nothing to complete is an error to some of them: whether it is half done is asked in the end.
                continue
            }
            if try isSound(manager, again: again) { return }
        }
        if try isSound(manager, again: again) { return }
        if let removal = manager.removal {
            try runToEnd(removal, milliseconds: bounds.milliseconds, limit: bounds.limit)
        }
        guard try isSound(manager, again: again) else {
            throw HostError(
                .other, operation: command.joined(separator: " "),
                message: "the package is half installed: " + manager.query.joined(separator: " "))
        }
    }

    /// Whether the package is installed or absent, as far as the package manager can tell.
    private func isSound(_ manager: PackageManager, again: Bool) throws(HostError) -> Bool {
        var state: String?
        do throws(HostError) {
            state = try runToEnd(manager.query, milliseconds: 60_000, limit: 4096)
        } catch {
            // It knows no such package.
            guard error.code == .other else { throw error }
        }
        let isThere = try statusIfPresent(PackageManager.program) != nil
        return manager.isSound(state: state, isThere: isThere, again: again)
    }
}
