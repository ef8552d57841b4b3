#include "model/convert/torch/pickle_names.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rondo::convert {
namespace {

constexpr absl::string_view kNames[] = {
    "_codecs.encode",
    "argparse.Namespace",
    "__builtin__.frozenset",
    "__builtin__.set",
    "builtins.frozenset",
    "builtins.set",
    "collections.OrderedDict",
    "collections.defaultdict",
    "builtins.dict",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.dtype",
    "pathlib.PosixPath",
    "pathlib.PurePosixPath",
    "pathlib.WindowsPath",
    "torch.Size",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch._utils._rebuild_qtensor",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch.device",
    "torch.per_channel_affine",
    "torch.per_tensor_affine",
    "torch.jit._pickle.build_boollist",
    "torch.jit._pickle.build_doublelist",
    "torch.jit._pickle.build_intlist",
    "torch.jit._pickle.build_tensorlist",
    "torch.jit._pickle.restore_type_tag",
    "torch.nn.parameter.Parameter",
};

bool IsTorchType(absl::string_view name) {
  constexpr absl::string_view kTypes[] = {"float32", "float64", "float16", "bfloat16", "int8",   "uint8",  "int16",
                                          "int32",   "int64",   "bool",    "qint8",    "quint8", "strided"};
  return std::find(std::begin(kTypes), std::end(kTypes), name) != std::end(kTypes);
}

// Python's packages with functions that run something, or that reach others by their names.
constexpr absl::string_view kRunning[] = {
    "__builtin__", "asyncio",   "atexit",    "bdb",     "builtins", "code",  "codeop",    "commands", "ctypes",
    "getattr",     "importlib", "imp",       "marshal", "nt",       "os",    "operator",  "pdb",      "pickle",
    "pip",         "pkgutil",   "posix",     "pty",     "pydoc",    "runpy", "shutil",    "signal",   "socket",
    "subprocess",  "sys",       "threading", "timeit",  "torch",    "types", "webbrowser"};

// Of torch: modules and what trains them, as a checkpoint that is a whole program's state has them.
constexpr absl::string_view kOfTorch[] = {"torch.nn.modules.", "torch.nn.parallel.", "torch.nn.backends.",
                                          "torch.optim.", "torch.ao.nn."};

}  // namespace

bool IsForeignInPickles(absl::string_view module) {
  for (const absl::string_view part : kOfTorch) {
    if (absl::StartsWith(absl::StrCat(module, "."), part)) return true;
  }
  const absl::string_view package = module.substr(0, module.find('.'));
  return !package.empty() && std::find(std::begin(kRunning), std::end(kRunning), package) == std::end(kRunning);
}

bool IsAllowedInPickles(absl::string_view module, absl::string_view name) {
  if (module == "torch" && (absl::EndsWith(name, "Storage") || IsTorchType(name))) return true;
  if (module == "torch.storage" && (name == "UntypedStorage" || name == "TypedStorage")) return true;
  if (absl::StartsWith(module, "__torch__")) return true;  // a class that TorchScript wrote; here a bag of attributes
  const std::string full = absl::StrCat(module, ".", name);
  return std::find(std::begin(kNames), std::end(kNames), full) != std::end(kNames);
}

}  // namespace rondo::convert
