"""Looks for what would help: references, hidden inputs, other submissions, marks, secrets, memory."""

from course import ROOT

from attacks.kit import REST, Attack, tries

LINE = "reading"
# The test replaces the words in capitals by what is true of the course it has made.
PLACES = """
import os
def everything(*starts):
    found = []
    for start in starts:
        for place, folders, files in os.walk(start):
            found += [os.path.join(place, name) for name in files]
            if len(found) > 20000: break
    return found
DONE = []
def grep(words, *starts):
    if DONE: raise FileNotFoundError
    DONE.append(1)
    for path in everything(*starts):
        if path.endswith((".so", ".pyc")) or ".so." in path: continue
        try: text = open(path, "rb").read(1 << 16)
        except OSError: continue
        if any(word in text for word in words): return path, text[:100]
    raise FileNotFoundError
"""


def read(*paths: str) -> list[str]:
    """Attempts at opening files."""
    return [f"open({path!r}, 'rb').read(100)" for path in paths]


ATTACKS = [
    Attack(
        "read_the_references", REST, proof="TRIED",
        answers=tries(*read(f"{ROOT}/tests/fixtures/solutions/tiny_rnn/tiny_rnn.py", f"{ROOT}/solutions/01_simple_rnn/exercises.py"),
                      f"os.listdir({str(ROOT)!r})", "__import__('exercises')", "importlib.import_module('autograder.masters')"),
    ),
    Attack(
        "read_the_course", REST, proof="TRIED",
        answers=tries(*read("COURSE/gradebook.db", "COURSE/course.key", "COURSE/secret.txt", "COURSE/build/journal/tiny_rnn.journal"),
                      "os.listdir('COURSE/submitted')", "open('COURSE/submitted/ada/tiny_rnn/tiny_rnn.ipynb').read(50)"),
    ),
    Attack(  # no proof: on a busy machine its time is over before its search is
        "search_the_whole_disk", REST, own=(PLACES,),
        answers=tries("grep([b'BEGIN SOLUTION', b'SECRET-OF-THE-COURSE', b'mark scheme'], '/')"),
    ),
    Attack(
        "read_system_files", REST, proof="TRIED",
        answers=tries(*read("/etc/passwd", "/etc/shadow", "/root/.bashrc", "/proc/self/mem", "/proc/self/maps", "/proc/1/environ",
                            "/proc/self/environ", "/proc/self/cmdline", "/proc/kcore", "/dev/mem", "/sys/kernel/notes", "/run/utmp"),
                      "os.listdir('/proc')", "os.listdir('/home')", "os.listdir('/var')", "os.listdir('/dev/shm')"),
    ),
    Attack(
        "read_the_environment", REST, proof="TRIED",
        answers=tries("os.environ['AUTOGRADER_KEY']", "[v for v in os.environ.values() if 'secret' in v.lower()][0]",
                      "ctypes.string_at(ctypes.c_void_p.in_dll(ctypes.CDLL(None), 'environ').value and b'', 0)[0]"),
    ),
    Attack(
        "read_the_parents_memory", REST, proof="TRIED",
        answers=tries(
            "open(f'/proc/{os.getppid()}/mem', 'rb').read(10)",
            "(_ for _ in ()).throw(OSError) if libc.process_vm_readv(os.getppid(), 0, 0, 0, 0, 0) < 0 else 'read'",
            "(_ for _ in ()).throw(OSError) if libc.ptrace(16, os.getppid(), 0, 0) < 0 else 'attached'",
            setup="libc = ctypes.CDLL(None)",
        ),
    ),
    Attack(
        "open_descriptors_left_over", REST, proof="TRIED",
        answers=tries(*(f"os.read({n}, 10) or 1 / 0" for n in (0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12))),
    ),
    Attack(
        "write_outside", REST, proof="TRIED",
        answers=tries("open('COURSE/owned', 'w')", "open('/owned', 'w')", "open('/var/tmp/owned', 'w')", "os.mkdir('/home/owned')",
                      "os.remove('COURSE/gradebook.db')", "os.link('/etc/passwd', '/tmp/p')", "os.symlink('/', '/tmp/root')",
                      "os.truncate('COURSE/secret.txt', 0)", "os.chroot('/tmp')"),
    ),
]  # fmt: skip
