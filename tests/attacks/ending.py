"""Ends the process, or tries to end the grader, by every way there is."""

from attacks.kit import ALL, REST, STEP, Attack, right, step, tries

LINE = "ending"


def ends(name: str, body: str) -> Attack:
    """rnn_step does it."""
    return Attack(
        name, REST, step(f"import ctypes, os, signal, sys, threading\n{body}\nreturn np.zeros_like(s_prev)")
    )


ATTACKS = [
    ends("exit_zero", "os._exit(0)"),
    ends("sys_exit", "sys.exit(0)"),
    ends("raise_keyboard_interrupt", "raise KeyboardInterrupt"),
    ends("raise_generator_exit", "raise GeneratorExit"),
    ends("an_exception_that_cannot_be_shown", "class E(BaseException):\n    def __str__(self): os._exit(0)\n    __repr__ = __str__\nraise E"),
    ends("an_exception_of_exceptions", "raise ExceptionGroup('x' * 10**6, [ValueError('y' * 10**6)] * 1000)"),
    ends("abort", "os.abort()"),
    ends("kill_oneself", "os.kill(os.getpid(), signal.SIGKILL)"),
    ends("ignore_every_signal", "for s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass"),
    Attack(
        "kill_parent_and_pid_1", REST, proof="TRIED",
        answers=tries("os.kill(1, 9)", "os.kill(os.getppid(), 9)", "os.kill(-1, 9)", "os.kill(0, 9)", "os.killpg(os.getpgid(0), 15)",
                      "os.kill(GRADER, 9)", "signal.pidfd_send_signal(os.pidfd_open(1), 9)", "os.tcsetpgrp(0, 1)", "os.setsid()"),
    ),
    Attack(
        "ptrace", REST, proof="TRIED",
        answers=tries(*(f"refused(libc.{call})" for call in ("ptrace(0, 0, 0, 0)", "ptrace(16, 1, 0, 0)", "ptrace(0x4206, os.getppid(), 0, 0)",
                                                            "process_vm_writev(1, 0, 0, 0, 0, 0)", "reboot(0x1234567)", "syscall(62, -1, 9)")),
                      setup="libc = ctypes.CDLL(None)\ndef refused(code):\n    if code < 0: raise OSError\n    return code"),
    ),
    Attack("exit_in_a_cell", ALL, own=("import os\nos._exit(0)",)),
    Attack("exit_in_a_cell_and_no_answer", 0, own=("import os\nos._exit(0)",), solved=False),
    Attack("exit_in_the_cell_of_the_answer", ALL, {STEP: right(STEP) + "\nimport os\nos._exit(0)"}),
    Attack("exit_when_imported", REST, {STEP: "import os\ndef rnn_step(x_t, s_prev, W, stop=os._exit(0)):\n    return 0"}),
    Attack("exit_when_collected", ALL, own=("import os\nclass Last:\n    def __del__(self): os._exit(0)\nlast = Last()",)),
    Attack("exit_when_asked_for_a_name", ALL, own=("import os\nclass M(type):\n    def __call__(cls): os._exit(0)\nclass check(metaclass=M): pass",)),
    Attack("raise_in_every_cell", ALL, own=("raise SystemExit", "1 / 0", "raise KeyboardInterrupt")),
]  # fmt: skip
