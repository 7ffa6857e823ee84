internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import Watching

/// Hearing what the kernel and the clock tell.
extension Watcher {
    func takeSignals() {
        while let signal = signals.next() {
            switch signal {
            case .reload: reload()
            case .stop: stops = true
            // Whose child it was is looked at below.
            case .child: break
            }
        }
    }

    /// Everything that was told since the last time.
    func hear() {
        do {
            let links = try route.read()
            let rules = try netfilter.read()
            let ipsec = try policies?.read()
            let changed = try files.read()
            var touched = routeReader.take(links.messages, at: now)
            touched.formUnion(netfilterReader.take(rules.messages))
            if ipsec?.messages.isEmpty == false { touched.insert(.ipsec) }
            touched.formUnion(changed.files.map { .file($0) })
            touched.formUnion(processes.ended().map { .process($0) })
            if links.areIncomplete || rules.areIncomplete || ipsec?.areIncomplete == true || changed.areIncomplete {
                overrun(&touched)
            }
            touch(touched)
        } catch {
            log.write(.error, "listen", "\(error.description); everything is read again")
            touch([.everything])
        }
    }

    /// Events were lost. What they would have said is read.
    func overrun(_ touched: inout Set<WatchTopic>) {
        status.overruns += 1
        // Once is worth a word; a storm is not worth a thousand.
        if status.overruns.nonzeroBitCount == 1 {
            log.write(.notice, "overrun", "more changed at once than the kernel could tell; everything is read again")
        }
        routeReader = RouteEventReader(linkDump())
        touched.insert(.everything)
    }

    func touch(_ topics: Set<WatchTopic>) {
        gate.note(topics, at: now)
        schedule.note(topics)
    }

    func linkDump() -> [[UInt8]] {
        do {
            return try session.live?.query(.links()) ?? []
        } catch {
            return []
        }
    }
}
