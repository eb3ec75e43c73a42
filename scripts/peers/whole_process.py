# SPDX-License-Identifier: Apache-2.0
"""Runs a command, whole_process.py LOG COMMAND..., and prints what it took as JSON: wall seconds, processor seconds, and MiB of memory at its peak,
resident and anonymous. LOG is what the command said. A process of its own, because the kernel counts what a child's parent held as the child's:
this one imports next to nothing, bench_peers.py has PyTorch in it. The resident peak is the kernel's own and exact, and has pages of mapped
files in it, which the kernel may drop; the anonymous one is looked at each 50 ms."""
import json
import os
import sys
import threading
import time


class AnonymousPeak:
    def __init__(self, process):
        self.path, self.kilobytes, self.ended = f"/proc/{process}/status", 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.ended.wait(0.05):
            with open(self.path) as status:  # the process is there until its parent waits for it; one that has ended has no such line
                for line in status:
                    if line.startswith("RssAnon:"):
                        self.kilobytes = max(self.kilobytes, int(line.split()[1]))

    def end(self):
        self.ended.set()
        self.thread.join()
        return self.kilobytes


def main():
    log, command = sys.argv[1], sys.argv[2:]
    actions = [(os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), (os.POSIX_SPAWN_DUP2, 1, 2)]
    start = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    anonymous = AnonymousPeak(process)
    os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
    seconds = time.perf_counter() - start
    peak = anonymous.end()
    _, status, usage = os.wait4(process, 0)
    print(json.dumps({"code": os.waitstatus_to_exitcode(status), "seconds": seconds, "processor": usage.ru_utime + usage.ru_stime,
                      "resident": usage.ru_maxrss / 1024, "anonymous": peak / 1024}))


if __name__ == "__main__":
    main()
