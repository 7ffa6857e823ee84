internal import CLinux
internal import Glibc

/// What process 1 is asked to do, as its arguments carry it.
struct InitRequest {
    enum Work {
        case practiceHost(PracticeHostPlan, workingDirectory: String)
        case layer(name: String, output: String)
    }

    var work: Work
    /// Where an error goes to: its exit code, a blank, its message.
    var errorDescriptor: Int32
    /// Open images of layers, topmost first.
    var images: [Int32]
    /// The path of this program's file.
    var program: String

    init(work: Work, errorDescriptor: Int32, images: [Int32], program: String) {
        self.work = work
        self.errorDescriptor = errorDescriptor
        self.images = images
        self.program = program
    }

    var arguments: [String] {
        let common = [
            PracticeInit.programName, String(errorDescriptor), images.map(String.init).joined(separator: ","), program,
        ]
        switch work {
        case .practiceHost(let plan, let directory):
            let faults = plan.faults.map(\.description).joined(separator: ",")
            return common
                + ["run", plan.profile.rawValue, plan.backend.rawValue, plan.ipv6?.rawValue ?? ""]
                + [String(plan.containers), faults, directory] + plan.command
        case .layer(let name, let output):
            return common + ["layer", name, output]
        }
    }

    init?(arguments: [String]) {
        guard arguments.count >= 4, let descriptor = Int32(arguments[0]) else { return nil }
        errorDescriptor = descriptor
        images = arguments[1].split(separator: ",").compactMap { Int32($0) }
        program = arguments[2]
        let rest = Array(arguments.dropFirst(4))
        switch arguments[3] {
        case "run":
            guard rest.count >= 7, let profile = PracticeProfile(rawValue: rest[0]),
                let backend = PracticeBackend(rawValue: rest[1]), let containers = Int(rest[3])
            else { return nil }
            let plan = PracticeHostPlan(
                profile: profile, backend: backend, ipv6: PracticeIPv6(rawValue: rest[2]), containers: containers,
                faults: rest[4].split(separator: ",").map { FaultSelection(argument: String($0)) },
                command: Array(rest[6...]), layerDirectory: "")
            work = .practiceHost(plan, workingDirectory: rest[5])
        case "layer":
            guard rest.count == 2 else { return nil }
            work = .layer(name: rest[0], output: rest[1])
        default:
            return nil
        }
    }

    func run() throws(PracticeHostError) -> Int32 {
        switch work {
        case .practiceHost(let plan, let directory):
            return try PracticeInit(plan: plan, images: images, program: program, workingDirectory: directory).run()
        case .layer(let name, let output):
            try LayerBuild(layer: try Layer.named(name), images: images, output: output).run()
            return 0
        }
    }
}
