internal import Glibc
internal import HostAccess

/// Work on a thread of its own. For system calls that wait for an RCU grace period of the kernel, as those do that set up or
/// close a packet socket. Source: pthread_create(3).
final class Background<Value> {
    private let thread: BackgroundThread
    private let outcome: Outcome

    private final class Outcome {
        var result: Result<Value, HostError>?
    }

    /// Starts the work. Nobody else may use what it uses until `value` returns.
    init(_ body: @escaping () throws(HostError) -> Value) {
        let outcome = Outcome()
        self.outcome = outcome
        thread = BackgroundThread {
            do throws(HostError) {
                outcome.result = .success(try body())
            } catch {
                outcome.result = .failure(error)
            }
        }
    }

    /// Waits for the end of the work and returns its result.
    func value() throws(HostError) -> Value {
        thread.join()
        guard let result = outcome.result else {
            throw HostError(.other, operation: "work in the background", message: "it ended without a result")
        }
        return try result.get()
    }
}

/// A thread with all signals blocked: they are handled by the threads that existed before.
final class BackgroundThread {
    private var thread: pthread_t?

    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) {
            self.body = body
        }
    }

    /// If no thread can be created, the body runs on the caller's before this returns.
    init(_ body: @escaping () -> Void) {
        let work = Unmanaged.passRetained(Work(body))
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { pointer in
                if let pointer { Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body() }
                return nil
            }, work.toOpaque())
        pthread_sigmask(SIG_SETMASK, &before, nil)
        if failure == 0 {
            self.thread = thread
        } else {
            work.takeRetainedValue().body()
        }
    }

    func join() {
        if let thread { pthread_join(thread, nil) }
        thread = nil
    }

    deinit {
        if let thread { pthread_detach(thread) }
    }
}
