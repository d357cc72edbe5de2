"""Usage: as_service.py UNIT PROGRAM ARGUMENT...

Runs a program under the system calls, socket families and memory rules that a unit of systemd allows, as systemd would:
what is not allowed fails with EPERM or EAFNOSUPPORT. Needs no systemd that runs, and no root.
"""

import ctypes
import os
import socket
import subprocess
import sys

PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
EPERM, EQUAL, ALLOW, ERRNO = 1, 4, 0x7FFF0000, 0x00050000


class Compare(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def groups():
    """The names behind @system-service and its like, as systemd knows them."""
    listed = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter"], check=True, capture_output=True, text=True)
    found, name = {}, None
    for line in listed.stdout.splitlines():
        if line.startswith("@"):
            name = line.split()[0]
            found[name] = []
        elif line.startswith("    ") and name and not line.strip().startswith("#"):
            found[name].append(line.strip())
        elif not line.startswith("    "):
            name = None
    return found


def members(known, name):
    if not name.startswith("@"):
        return {name}
    return set().union(*(members(known, one) for one in known[name]))


def values(unit, key):
    lines = (line.strip() for line in open(unit, encoding="utf-8"))
    return [line.split("=", 1)[1].strip() for line in lines if line.startswith(key + "=")]


unit, program = sys.argv[1], sys.argv[2:]
known = groups()
allowed = members(known, "@default")
for value in values(unit, "SystemCallFilter"):
    names = set().union(*(members(known, one) for one in value.removeprefix("~").split()))
    allowed = allowed - names if value.startswith("~") else allowed | names
families = [getattr(socket, one) for one in values(unit, "RestrictAddressFamilies")[0].split()]

libc = ctypes.CDLL(None, use_errno=True)
if values(unit, "MemoryDenyWriteExecute") == ["yes"]:
    # Kernels before 6.3 do not know it.
    libc.prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)

seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
context = ctypes.c_void_p(seccomp.seccomp_init(ERRNO | EPERM))
for name in allowed:
    number = seccomp.seccomp_syscall_resolve_name(name.encode())
    if number < 0:
        continue
    if name == "socket":
        for family in families:
            compare = (Compare * 1)(Compare(0, EQUAL, family, 0))
            seccomp.seccomp_rule_add_array(context, ALLOW, number, 1, compare)
    else:
        seccomp.seccomp_rule_add_array(context, ALLOW, number, 0, None)
if seccomp.seccomp_load(context) != 0:
    sys.exit("the filter cannot be loaded")
os.execvp(program[0], program)
