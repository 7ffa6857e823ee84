internal import Glibc

/// No systemd runs on a practice host, yet programs ask it to start and enable units. A small script answers in its
/// place: verbs about unit files go to the real systemctl working offline, `start` and `stop` run what the unit says.
enum SystemctlStandIn {
    static let path = "/usr/bin/systemctl"
    static let real = "/usr/libexec/lxc-doctor-practice/systemctl"
    /// One empty file per unit that counts as active.
    static let active = "/run/lxc-doctor-practice-units"

    static func install() throws(PracticeHostError) {
        try makeDirectories(active)
        try writeFile(active + "/lxc-net.service", "")
        guard fileExists(path) else { return }
        try makeDirectories("/usr/libexec/lxc-doctor-practice")
        try runOrFail(["cp", "-L", path, real])
        try writeFile(path, script, mode: 0o755)
    }

    private static let script = #"""
        #!/bin/sh
        # Stand-in for systemctl on a practice host, where no systemd runs.
        real=/usr/libexec/lxc-doctor-practice/systemctl
        active=/run/lxc-doctor-practice-units
        now= quiet= verb= units=
        all="$*"
        for word in "$@"; do
            case "$word" in
            --now) now=1 ;;
            -q|--quiet) quiet=1 ;;
            -*) ;;
            *) if [ -z "$verb" ]; then verb=$word; else case "$word" in
                   *.*) units="$units $word" ;; *) units="$units $word.service" ;; esac; fi ;;
            esac
        done
        file_of() {
            for place in /etc/systemd/system /run/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system \
                /lib/systemd/system; do
                [ -e "$place/$1" ] || [ -L "$place/$1" ] || continue
                echo "$place/$1"
                return 0
            done
            return 1
        }
        # Of a command `$$` means `$`.
        setting() {
            cat "$1" "/etc/systemd/system/$(basename "$1").d/"*.conf 2>/dev/null \
                | sed -nE "s/^$2=-(.*)/\1 || true/p; t; s/^$2=[@:+!]*//p" | sed 's/\$\$/$/g'
        }
        loadable() {
            file=$(file_of "$1") || { echo "Unit $1 not found." >&2; return 5; }
            [ "$(readlink -f "$file")" != /dev/null ] || { echo "Failed to start $1: Unit $1 is masked." >&2; return 1; }
        }
        start() {
            [ ! -e "$active/$1" ] || return 0
            loadable "$1" || return
            type=$(setting "$file" Type | tail -n 1)
            setting "$file" ExecStart | {
                while read -r line; do
                    case "$type" in
                    oneshot|forking) sh -c "$line" </dev/null || exit 1 ;;
                    *) setsid sh -c "exec $line" </dev/null >/dev/null 2>&1 & ;;
                    esac
                done
            } || { echo "Job for $1 failed." >&2; return 1; }
            if [ "$type" != oneshot ] || [ "$(setting "$file" RemainAfterExit | tail -n 1)" = yes ]; then
                : > "$active/$1"
            fi
        }
        stop() {
            [ -e "$active/$1" ] || return 0
            rm -f "$active/$1"
            loadable "$1" 2>/dev/null || return 0
            pid=$(cat /run/lxc/dnsmasq.pid 2>/dev/null)
            setting "$file" ExecStop | while read -r line; do sh -c "$line" </dev/null || true; done
            # systemd waits for every process of a unit; the one that matters here is lxc-net's dnsmasq.
            i=0
            while [ "$1" = lxc-net.service ] && [ -n "$pid" ] && [ -d "/proc/$pid" ] && [ $i -lt 200 ]; do
                sleep 0.01
                i=$((i + 1))
            done
        }
        reload() {
            loadable "$1" || return
            setting "$file" ExecReload | while read -r line; do sh -c "$line" </dev/null || exit 1; done || return
            along ReloadPropagatedFrom "$1" reload
        }
        # Units that say of another one that it takes them along: PartOf=, ReloadPropagatedFrom=.
        along() {
            for other in $(grep -lE "^$1=(.* )?$2( |\$)" /etc/systemd/system/*.service 2>/dev/null); do
                [ ! -e "$active/$(basename "$other")" ] || "$3" "$(basename "$other")"
            done
        }
        each() { result=0; for unit in $units; do "$1" "$unit" || result=$?; done; return $result; }
        restart() { stop "$1"; start "$1" || return; along PartOf "$1" restart; }
        tryRestart() { [ ! -e "$active/$1" ] || restart "$1"; }
        state() {
            if [ -e "$active/$1" ]; then word=active; code=0; else word=inactive; code=3; fi
            [ -n "$quiet" ] || echo $word
            return $code
        }
        show() {
            load=loaded; loadable "$1" 2>/dev/null || load=not-found
            if [ -e "$active/$1" ]; then word=active; else word=inactive; fi
            printf 'Id=%s\nLoadState=%s\nActiveState=%s\nUnitFileState=%s\nFragmentPath=%s\n' "$1" "$load" "$word" \
                "$(SYSTEMD_OFFLINE=1 "$real" is-enabled "$1" 2>/dev/null)" "$(file_of "$1")"
        }
        case "$verb" in
        start) each start ;;
        stop|kill) each stop ;;
        restart|reload-or-restart) each restart ;;
        try-restart|condrestart|try-reload-or-restart) each tryRestart ;;
        reload) each reload ;;
        is-active|status) each state ;;
        is-failed) [ -n "$quiet" ] || echo inactive; exit 1 ;;
        is-system-running) [ -n "$quiet" ] || echo running ;;
        show) each show ;;
        cat) for unit in $units; do cat "$(file_of "$unit")" "/etc/systemd/system/$unit.d/"*.conf 2>/dev/null; done ;;
        daemon-reload|daemon-reexec|reset-failed|"") ;;
        *)
            SYSTEMD_OFFLINE=1 "$real" "$@" || exit
            [ -n "$now" ] || exit 0
            case "$verb" in
            enable|unmask) each start ;;
            disable|mask) each stop ;;
            esac ;;
        esac

        """#
}
