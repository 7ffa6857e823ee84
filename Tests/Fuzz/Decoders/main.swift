import Glibc

// libFuzzer's own main would have to be the program's: SwiftPM gives every executable one. So the driver is called.
@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

// Which decoder is fed: a name of `FuzzedDecoder`, in the environment, for the arguments are libFuzzer's.
var count = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
exit(
    runDriver(&count, &arguments) { pointer, size in
        FuzzedDecoder.chosen.feed(Array(UnsafeBufferPointer(start: pointer, count: size)))
        return 0
    })
