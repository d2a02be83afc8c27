# Text tests: every RUN line of a file under test/ is a shell command.
import os
import shutil
import sys

import lit.formats

config.name = "Tenon"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "fixtures", "CMakeLists.txt"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = config.binary_dir

tools = os.path.join(config.build_dir, "bin")
config.environment["PATH"] = os.pathsep.join(
    [tools, config.llvm_tools_dir, config.environment.get("PATH", "")])
# The cache of `tenon run` stays inside the build tree.
config.environment["XDG_CACHE_HOME"] = os.path.join(config.binary_dir, "cache")

if config.sanitize_flags:
    config.environment["ASAN_OPTIONS"] = config.asan_options
    config.available_features.add("sanitizers")

config.substitutions += [
    ("%tenon-opt", os.path.join(tools, "tenon-opt")),
    ("%tenon-translate", os.path.join(tools, "tenon-translate")),
    ("%tenon", os.path.join(tools, "tenon")),
    ("%python", sys.executable),
    ("%source", config.source_dir),
    ("%build", config.build_dir),
    # Compilers of what links against the runtime, checked where that is.
    ("%cc", config.c_compiler + config.sanitize_flags),
    ("%cxx", config.cxx_compiler + config.sanitize_flags),
    ("%cmake", config.cmake),
]
if shutil.which("qemu-x86_64-static"):
    config.available_features.add("qemu")
try:
    import numpy  # noqa: F401
    config.available_features.add("numpy")
except ImportError:
    pass
