"""Takes all there is: time, output, processes, threads, memory, disk, descriptors; or crashes."""

from attacks.kit import ALL, FORWARD, REST, STEP, Attack, forward, right, step, tries

LINE = "exhausting"


def takes(name: str, body: str) -> Attack:
    """rnn_step does it."""
    head = "import ctypes, os, sys, threading, time"
    return Attack(name, REST, step(f"{head}\n{body}\nreturn np.zeros_like(s_prev)"))


ATTACKS = [
    takes("endless_loop", "while True: pass"),
    takes("endless_sleep", "time.sleep(10**6)"),
    takes("sleeps_and_works_a_little_endlessly", "while True:\n    for _ in range(20_000): pass\n    time.sleep(0.03)"),
    takes("endless_output", "while True: print('x' * 10**5)"),
    takes("endless_errors", "while True: sys.stderr.write('x' * 10**5)"),
    takes("endless_raw_output", "while True: os.write(1, b'x' * 10**5); os.write(2, b'x' * 10**5)"),
    takes("endless_loop_in_c", "sum(range(10**15))"),
    takes("a_power_that_never_ends", "9 ** 9 ** 9"),
    takes("a_pattern_that_never_ends", "import re; re.match('(a+)+$', 'a' * 64 + 'b')"),
    takes("recursion", "sys.setrecursionlimit(10**9)\ndef f(): return f()\nf()"),
    takes("recursion_in_c", "x = []\nfor _ in range(10**6): x = [x]\nrepr(x)"),
    takes("crash_at_null", "ctypes.string_at(0)"),
    takes("crash_by_a_jump", "ctypes.CFUNCTYPE(None)(12345)()"),
    takes("crash_the_interpreter", "import types\nexec(types.CodeType(0,0,0,0,0,0,b'',(),(),(),'','','',0,b'',b''))"),
    takes("memory_at_once", "np.ones(10**12)"),
    takes("memory_by_and_by", "hoard = []\nwhile True: hoard.append(np.ones(10**6))"),
    takes("memory_of_small_things", "hoard = {}\nwhile True: hoard[len(hoard)] = str(len(hoard))"),
    takes("answers_of_many_megabytes", "return np.zeros(7 * 10**6)"),
    takes("disk", "for i in range(10**4): open(f'/tmp/{i}', 'wb').write(bytes(10**7))"),
    takes("files_without_end", "for i in range(10**7): open(f'/tmp/{i}', 'w').close()"),
    takes("folders_in_folders", "while True: os.mkdir('d'); os.chdir('d')"),
    takes("descriptors", "hoard = [open('/dev/null') for _ in range(10**6)]"),
    Attack(
        "bombs_of_forks_and_threads", REST, proof="TRIED",
        answers=tries("os.fork()", "os.forkpty()", "subprocess.Popen(['sleep', '100'])", "os.posix_spawn(sys.executable, ['x'], {})",
                      "threading.Thread(target=time.sleep, args=(100,)).start()", "ctypes.CDLL(None).vfork() < 0 and 1 / 0",
                      "__import__('multiprocessing').Process(target=print).start()", "__import__('_thread').start_new_thread(print, ())"),
    ),
    Attack("a_cell_that_never_ends", ALL, own=("while True: pass",)),
    Attack("a_cell_that_sleeps", ALL, own=("import time\ntime.sleep(10**6)",)),
    Attack("a_cell_that_hoards", ALL, own=("hoard = []\nwhile True: hoard.append(bytearray(10**7))",)),
    Attack("an_answers_cell_that_never_ends", ALL, {STEP: right(STEP) + "\nwhile True: pass\n"}),
    Attack("a_loop_on_the_second_exercise_only", ALL - 3, forward("while True: pass")),
    Attack(
        "a_loop_that_waits_for_the_edge", ALL - 3,
        {FORWARD: right(FORWARD).replace("    states = []", "    while True: pass\n    states = []", 1)},
    ),
    Attack("many_cells", ALL, own=tuple(f"x{i} = {i}" for i in range(900))),
    Attack("many_classes_with_a_loop", ALL, own=tuple(f"class A{i}:\n    while True: pass" for i in range(30))),
    Attack("many_prints_in_cells", ALL, own=("for i in range(10**5): print(i)",)),
]  # fmt: skip
