internal import CLinux
internal import Glibc

/// How a command ended, and what it wrote to both outputs.
struct CommandResult: Sendable {
    /// Exit status; 128 + signal for one that was killed.
    var status: Int32
    var output: String
}

/// Calls `body` with the strings as a NULL-terminated array of C strings.
func withArguments<Result>(
    _ arguments: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers)
}

/// Starts a program that inherits everything but signal dispositions.
func spawn(_ arguments: [String], directory: String? = nil, input: Int32 = -1, output: Int32 = -1) -> pid_t {
    withArguments(arguments) { argv in
        clinux_lab_spawn(argv, clinux_lab_environment(), directory, input, output)
    }
}

/// Runs a program to its end. Its output goes to a file without a name, so that daemons which keep it open block nobody.
func run(_ arguments: [String], input text: String? = nil) throws(PracticeHostError) -> CommandResult {
    let name = arguments.first ?? ""
    let output = try anonymousFile()
    defer { close(output) }
    var input: Int32 = -1
    if let text {
        input = try anonymousFile()
        try writeKernelFile("/proc/self/fd/\(input)", text)
    } else {
        input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    }
    defer { close(input) }
    let pid = spawn(arguments, input: input, output: output)
    guard pid > 0 else { throw .failed("\(name): \(errorText(-pid))") }
    var status: Int32 = 0
    guard clinux_lab_wait(pid, 1, &status) == pid else { throw .failed("\(name): wait: \(lastError())") }
    reapOrphans()
    lseek(output, 0, SEEK_SET)
    return CommandResult(status: status, output: readDescriptor(output, limit: 64 << 10) ?? "")
}

/// Process 1 inherits daemons whose starter has ended; those that have ended too are collected.
private func reapOrphans() {
    var status: Int32 = 0
    while getpid() == 1, clinux_lab_wait(-1, 0, &status) > 0 {}
}

/// Runs a program that must succeed.
@discardableResult
func runOrFail(_ arguments: [String], input: String? = nil) throws(PracticeHostError) -> String {
    let result = try run(arguments, input: input)
    guard result.status == 0 else {
        let lines = result.output.split(separator: "\n").suffix(3).joined(separator: "; ")
        throw .failed("`\(arguments.joined(separator: " "))` ended with \(result.status): \(lines)")
    }
    return result.output
}

private func anonymousFile() throws(PracticeHostError) -> Int32 {
    let descriptor = clinux_anonymous_file()
    guard descriptor >= 0 else { throw .failed("memfd_create: \(errorText(-descriptor))") }
    return descriptor
}
