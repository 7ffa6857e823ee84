internal import Glibc
package import HostAccess

extension HostError {
    /// A kernel error in the words of the seam: the one place where errno becomes a code.
    ///
    /// `detail` is what the kernel itself said (NETLINK_EXT_ACK). Source: errno(3).
    package init(errno number: Int32, operation: String, detail: String? = nil) {
        let code: Code =
            switch number {
            case ENOENT, ENODEV, ENOTDIR, ESRCH, EADDRNOTAVAIL, ENXIO, ENETUNREACH, EHOSTUNREACH: .notFound
            case EPERM, EACCES, EROFS: .notPermitted
            case EOPNOTSUPP, EPROTONOSUPPORT, EAFNOSUPPORT, ENOSYS, ENOPROTOOPT, ESOCKTNOSUPPORT: .unsupported
            case ETIMEDOUT, EMFILE, ENFILE, ENOBUFS, ENOMEM: .limit
            case ELOOP, EISDIR, EINVAL, EBADMSG, ENAMETOOLONG: .malformed
            default: .other
            }
        var message = HostError.words(number)
        if let detail { message += " (\(detail))" }
        self.init(code, operation: operation, message: message, errno: number)
    }

    private static func words(_ number: Int32) -> String {
        switch number {
        case ENOENT: "there is no such file or object"
        case ENODEV: "there is no such device"
        case ENETUNREACH, EHOSTUNREACH: "there is no route"
        case EPERM: "not permitted: this needs more privilege"
        case EACCES: "permission denied"
        case EROFS: "the file system is read-only"
        case EISDIR: "is a directory, not a file"
        case ELOOP: "a symbolic link stands where none is allowed, or links go round in a circle"
        case EOPNOTSUPP, EPROTONOSUPPORT, EAFNOSUPPORT, ENOSYS, ENOPROTOOPT, ESOCKTNOSUPPORT:
            "this kernel does not support it, or the module is not loaded"
        case ETIMEDOUT: "no answer in time"
        case ENOSPC: "no space left on the file system"
        case EDQUOT: "the disk quota is used up"
        default: text(number)
        }
    }

    private static func text(_ number: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard strerror_r(number, &buffer, buffer.count) == 0 || buffer[0] != 0 else { return "error \(number)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
