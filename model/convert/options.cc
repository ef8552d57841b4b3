#include "model/convert/options.h"

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace rondo::convert {
namespace {

constexpr char kAbout[] =
    R"(rondo-convert reads a trained network and writes a model that rondo-server serves.

  rondo-convert FILE [--output=DIR] [--check=vectors.npz]

FILE is an ONNX graph (.onnx, its .onnx.data beside it), a Keras model (.keras, .h5), PyTorch
weights (.pt, .pth, .ckpt, TorchScript) or safetensors (.safetensors, .safetensors.index.json).
Nothing in it is run. The graph that was read is printed; without --output nothing is written.)";

constexpr char kNotes[] =
    R"(Exit code: 0 the file was read (and written, and checked), 1 it was refused or the check failed (why
is on stderr; nothing is written then), 2 wrong usage.
)";

std::vector<OptionGroup> Groups(ConvertOptions* options) {
  return {
      {"What is written",
       {{"output", TextOrNone(&options->output, "DIR"),
         "Folder of models, as --model_repository takes it; the model goes to DIR/NAME/1/model.safetensors, which must "
         "not exist. Empty: nothing is written."},
        {"name", TextOrNone(&options->name, "NAME"), "Name of the model; empty: that of FILE without its ending."},
        {"to_onnx", TextOrNone(&options->to_onnx, "FILE"),
         "ONNX file to write the network to, from a new session's state on, for other programs."},
        {"check", TextOrNone(&options->check, "FILE"),
         "numpy.savez file with X [timesteps, inputs] and Y [timesteps, outputs] from the original framework: every "
         "timestep must agree to 1e-5."}}},
      {"What the file does not say",
       {{"config", TextOrNone(&options->config, "FILE"),
         "JSON beside weights: Keras' model configuration (model.to_json()), or for PyTorch and safetensors a "
         "description of the model: of format 2 with its elements, or of format 1 of a cell, layers and a head."},
        {"key", TextOrNone(&options->key, "KEY"), "PyTorch: where in a checkpoint the state_dict is; empty: found."},
        {"rnn", TextList(&options->rnn, "MODULES"), "PyTorch: the recurrent modules, in order; empty: all."},
        {"head", TextList(&options->head, "MODULES"),
         "PyTorch: the modules that give the output, side by side; empty: the last. ONNX: outputs, or tensors."},
        {"activation", TextList(&options->activations, "MODULE=FUNCTION"),
         "PyTorch: what follows a module, such as fc1=relu; of an RNN: its own activation."},
        {"ignore", TextList(&options->ignore, "GLOBS"), "PyTorch: tensors to leave out, such as 'aux.*'."},
        {"state", TextList(&options->states, "IN:OUT"),
         "ONNX: an input that takes the state, and the output that gives the next; empty: paired by name and shape."},
        {"dimension", TextList(&options->dimensions, "NAME=N"),
         "ONNX: the size of a dimension that the graph leaves open and that is not time or batch; one without a name "
         "is "
         "INPUT.AXIS."},
        {"initializer", TextList(&options->initializers, "NAME=FILE"),
         "ONNX: the value of an input that is a weight, as a TensorProto file (.pb)."}}}};
}

absl::Status ReadDimensions(ConvertOptions* options) {
  constexpr int64_t kMostSize = 1000000;
  for (const std::string& text : options->dimensions) {
    const size_t sign = text.find('=');
    int64_t size = 0;
    const bool read = sign != std::string::npos && absl::SimpleAtoi(text.substr(sign + 1), &size);
    if (!read || size < 1 || size > kMostSize) {
      return absl::InvalidArgumentError(
          absl::StrCat("--dimension=", text, ": wanted NAME=N, with N a whole number, 1 to ", kMostSize));
    }
    options->dimension_sizes[text.substr(0, sign)] = size;
  }
  return absl::OkStatus();
}

}  // namespace

OptionTable ConvertOptionTable(ConvertOptions* options) {
  OptionTable table;
  table.program = "rondo-convert";
  table.about = kAbout;
  table.groups = Groups(options);
  table.notes = kNotes;
  table.take_word = [options](OptionTable&, const std::string& word) -> absl::StatusOr<CommandLineAsks> {
    if (!options->file.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("two files, '", options->file, "' and '", word, "': wanted one"));
    }
    options->file = word;
    return CommandLineAsks::kRun;
  };
  table.finish = [options](const OptionTable&) {
    if (absl::Status status = ReadDimensions(options); !status.ok()) return status;
    return options->file.empty() ? absl::InvalidArgumentError("no file: wanted the file to convert") : absl::OkStatus();
  };
  return table;
}

}  // namespace rondo::convert
