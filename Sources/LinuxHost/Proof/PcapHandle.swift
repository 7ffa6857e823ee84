internal import CPcap
internal import Glibc
internal import HostAccess
internal import WireFormats

/// A live capture by libpcap, closed at the end of its life.
///
/// Never promiscuous, in immediate mode, with nanosecond stamps where the kernel gives them and a small ring that an
/// in-kernel filter keeps empty. Source: pcap(3PCAP).
struct PcapHandle: ~Copyable {
    /// One captured frame.
    struct Frame {
        var frame: CapturedFrame
        /// CLOCK_REALTIME, since the epoch.
        var nanoseconds: Int
    }

    private let library: cpcap_library
    private let handle: OpaquePointer
    private let linkType: CapturedFrame.LinkType
    private let stampUnit: Int
    /// For poll(2).
    let descriptor: Int32

    /// Bytes of a frame that are kept: a whole probe, or an ICMP error that quotes one.
    private static let snapLength: Int32 = 256
    private static let ringBytes: Int32 = 512 << 10

    /// Starts to capture on a device, or on `any`.
    ///
    /// Throws `unsupported` where there is no libpcap, or where `any` cannot say which interface saw a frame
    /// (LINKTYPE_LINUX_SLL2 needs libpcap 1.10); `notPermitted` without CAP_NET_RAW.
    init(device: String, filter: String) throws(HostError) {
        let operation = "capture on \(device)"
        guard let library = cpcap_load()?.pointee else {
            throw HostError(.unsupported, operation: operation, message: "libpcap is not installed")
        }
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard let handle = library.create(device, &message) else {
            throw HostError(.other, operation: operation, message: Self.text(message))
        }
        do {
            linkType = try Self.start(handle, library, device, filter, operation)
        } catch {
            library.close(handle)
            throw error
        }
        self.library = library
        self.handle = handle
        stampUnit = library.get_tstamp_precision(handle) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000
        descriptor = library.get_selectable_fd(handle)
    }

    deinit {
        library.close(handle)
    }

    private static func start(
        _ handle: OpaquePointer, _ library: cpcap_library, _ device: String, _ filter: String, _ operation: String
    ) throws(HostError) -> CapturedFrame.LinkType {
        // These only note what activation shall do; each refusal leaves a default that is good enough.
        _ = library.set_snaplen(handle, snapLength)
        _ = library.set_promisc(handle, 0)
        _ = library.set_timeout(handle, 1)
        _ = library.set_immediate_mode(handle, 1)
        _ = library.set_buffer_size(handle, ringBytes)
        _ = library.set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO)
        let status = library.activate(handle)
        guard status >= 0 else { throw failure(status, handle, library, operation) }
        if device == "any", library.set_datalink(handle, DLT_LINUX_SLL2) != 0 {
            throw HostError(.unsupported, operation: operation, message: "this libpcap is older than 1.10")
        }
        guard let linkType = CapturedFrame.LinkType(library.datalink(handle)) else {
            throw HostError(
                .unsupported, operation: operation, message: "unknown link type \(library.datalink(handle))")
        }
        try narrow(handle, library, to: filter, operation)
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard library.setnonblock(handle, 1, &message) == 0 else {
            throw failure(PCAP_ERROR, handle, library, operation)
        }
        return linkType
    }

    private static func narrow(
        _ handle: OpaquePointer, _ library: cpcap_library, to filter: String, _ operation: String
    ) throws(HostError) {
        var program = bpf_program()
        guard library.compile(handle, &program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0 else {
            throw failure(PCAP_ERROR, handle, library, operation)
        }
        defer { library.freecode(&program) }
        guard library.setfilter(handle, &program) == 0 else {
            throw failure(PCAP_ERROR, handle, library, operation)
        }
    }

    /// From now on another filter decides what is kept (pcap-filter(7)).
    func narrow(to filter: String) throws(HostError) {
        try Self.narrow(handle, library, to: filter, "capture")
    }

    private static func failure(
        _ status: Int32, _ handle: OpaquePointer, _ library: cpcap_library, _ operation: String
    ) -> HostError {
        let words = library.geterr(handle).map { String(cString: $0) } ?? ""
        let code: HostError.Code =
            switch status {
            case PCAP_ERROR_PERM_DENIED: .notPermitted
            case PCAP_ERROR_NO_SUCH_DEVICE: .notFound
            default: .other
            }
        return HostError(code, operation: operation, message: words.isEmpty ? "libpcap error \(status)" : words)
    }

    /// The next frame, nil where none waits. Frames that are too short to have a link header are left out.
    func next() throws(HostError) -> Frame? {
        // A burst of foreign frames must not hold the doctor here for ever.
        for _ in 0..<100_000 {
            var header: UnsafeMutablePointer<pcap_pkthdr>?
            var bytes: UnsafePointer<UInt8>?
            let status = library.next_ex(handle, &header, &bytes)
            guard status >= 0 else { throw Self.failure(status, handle, library, "capture") }
            guard status == 1, let header, let bytes else { return nil }
            let length = Int(min(header.pointee.caplen, UInt32(Self.snapLength)))
            let copy = Array(UnsafeBufferPointer(start: bytes, count: length))
            let stamp = header.pointee.ts.tv_sec * 1_000_000_000 + header.pointee.ts.tv_usec * stampUnit
            if let frame = CapturedFrame(copy[...], linkType: linkType) {
                return Frame(frame: frame, nanoseconds: stamp)
            }
        }
        return nil
    }

    /// Frames that passed the filter and were lost because the ring was full.
    func drops() throws(HostError) -> Int {
        var statistics = pcap_stat()
        let status = library.stats(handle, &statistics)
        guard status == 0 else { throw Self.failure(status, handle, library, "pcap_stats") }
        return Int(statistics.ps_drop)
    }

    private static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
