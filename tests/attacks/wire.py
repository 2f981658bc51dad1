"""Writes to the line between worker and grader: forged, flooding, cut off, held back."""

from attacks.kit import REST, Attack, step, tries

LINE = "wire"
FORGE = """
import json, os, struct, time
def tensors(message, **arrays):
    header, data = {}, b""
    for name, (dtype, shape, part) in {"message": ("U8", [len(message)], message), **arrays}.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data
def framed(blob): return struct.pack("<Q", len(blob)) + blob
def words(extra, value=0):
    message = json.dumps({"value": value, "extra": extra}).encode()
    return framed(tensors(message, **{"0": ("F64", [3, 2], bytes(48))}))
def send(data):
    for descriptor in range(3, 16):
        try:
            rest = memoryview(data)
            while rest: rest = rest[os.write(descriptor, rest):]
        except OSError: pass
"""
RIGHT = {
    "is": "Answered", "score": 12, "share": 1.0, "passed": True, "status": "right", "max_score": 12,
    "checks": [{"name": "values", "passed": True}], "mark": 400,
}  # fmt: skip
WELL_FORMED = {
    "is": "Answered",
    "error": None,
    "printed": "",
    "complaints": "",
    "changed": [],
    "overwrote": False,
}


def sends(name: str, body: str) -> Attack:
    """rnn_step writes to the line."""
    return Attack(name, REST, step(f"{body}\nreturn np.zeros_like(s_prev)"), own=(FORGE,))


ATTACKS = [
    sends("forge_a_right_result", f"for n in range(9): send(words({{**{RIGHT}, 'number': n}}))\nos._exit(0)"),
    sends(
        "forge_well_formed_results",
        f"for n in range(9): send(words({{**{WELL_FORMED}, 'number': n}}))\nos._exit(0)",
    ),
    sends("forge_and_go_on", f"send(words({{**{RIGHT}, 'number': 0}}))"),
    sends("forge_an_answer_of_the_cells", "send(words({'is': 'CellsRan', 'errors': [], 'printed': ''}))"),
    sends("forge_a_message_of_no_kind", "send(words({'is': ['Answered'], 'names': ['rnn_step'] * 10**4}))"),
    sends("forge_a_call_of_a_stand_in", "send(words({'is': 'AskStandin', 'name': 'rnn_step'}))"),
    sends("forge_a_stand_ins_reply", "send(words({'is': 'StandinAnswered', 'failed': False}))"),
    sends("a_pickle_for_a_frame", "import pickle; send(framed(pickle.dumps(np.zeros(3))))"),
    sends("noise", "send(os.urandom(10**5))"),
    sends("a_frame_of_a_terabyte", "send(struct.pack('<Q', 1 << 40))"),
    sends("half_a_frame_then_silence", "send(words(dict())[:40]); time.sleep(100)"),
    sends("byte_by_byte", "while True: send(b'\\0'); time.sleep(0.05)"),
    sends("flood", "while True: send(words({'is': 'AskStandin', 'name': 'x'}))"),
    sends("line_closed", "os.closerange(3, 64); time.sleep(100)"),
    sends("line_read_empty", "[os.read(3, 1 << 20) for _ in range(3)]"),
    sends("line_turned_to_null", "null = os.open('/dev/null', 2); os.dup2(null, 3)"),
    sends("json_that_nests", "send(framed(tensors(b'{\"value\": ' + b'[' * 10**6)))"),
    sends("json_of_vast_numbers", "send(framed(tensors(b'{\"value\": 0, \"extra\": {\"number\": ' + b'9' * 10**5 + b'}}')))"),
    sends("header_of_vast_shapes", "send(framed(tensors(b'{}', **{'0': ('F64', [2**62, 2**62], b'')})))"),
    sends("answers_in_the_file_rewritten", f"os.pwrite(4, words({{**{WELL_FORMED}, 'number': 0}}), 0)"),
    sends("the_file_of_answers_cut", "os.ftruncate(4, 0)"),
    sends("the_file_of_answers_grown", "os.ftruncate(4, 1 << 24)"),
    sends("the_file_of_answers_begun_anew", "os.lseek(4, 0, 0)"),
    Attack(
        "the_file_of_answers_mapped", REST, proof="TRIED",
        answers=tries("mmap.mmap(4, 4096, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_EXEC)",
                      "mmap.mmap(4, 4096)", "os.pread(4, 100, 0)", setup="os.ftruncate(4, 4096)"),
    ),
    Attack(
        "forge_while_the_cells_run", REST, step("return np.zeros_like(s_prev)"),
        own=(FORGE, f"send(words({RIGHT}))"),
    ),
    Attack("hold_back_every_answer", REST, step("os.close(3)\nwhile True: time.sleep(1)"), own=(FORGE,)),
]  # fmt: skip
