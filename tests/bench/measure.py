"""Runs a command and prints its seconds and its peak resident bytes.

A process of its own, and small: until it executes the program, a child counts its parent's memory as its own. So no
figure is below this script's few megabytes.
"""

import os
import sys
import time

start = time.perf_counter()
silent = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=silent)
_, status, usage = os.wait4(pid, 0)
print(time.perf_counter() - start, usage.ru_maxrss * 1024)
sys.exit(os.waitstatus_to_exitcode(status))
