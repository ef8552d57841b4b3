// rondo-convert: a network of ONNX, Keras or PyTorch in, a model that rondo-server serves out.

#include <cstdio>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "base/option_table.h"
#include "model/convert/convert.h"
#include "model/convert/options.h"

int main(int argc, char** argv) {
  rondo::convert::ConvertOptions options;
  rondo::OptionTable table = rondo::convert::ConvertOptionTable(&options);
  if (const std::optional<int> exit_code = rondo::ReadCommandLine(table, argc, argv)) return *exit_code;
  const absl::Status status = rondo::convert::RunConvert(options);
  if (status.ok()) return 0;
  absl::FPrintF(stderr, "rondo-convert: %s: %s\n", options.file, std::string(status.message()));
  return 1;
}
