// Arithmetic, functions, and elements that only move numbers, as nodes of ONNX.

#include <map>

#include "model/convert/export/element_export.h"

namespace rondo::convert {
namespace {

std::string ExportPad(ElementExport& e) {
  const std::string mode = e.attributes().value("mode", "zero");
  return e.Padded(e.In(), e.attributes().value("left", int64_t{0}), e.attributes().value("right", int64_t{0}),
                  mode == "zero" ? "constant" : mode);
}

std::string ExportArithmetic(ElementExport& e) {
  const Frame a = e.InFrame(0), b = e.InFrame(1);
  std::string right = e.In(1);
  const bool alike = a.size() == b.size() && a.channels != b.channels;
  if (alike) {  // of another frame, in the same flat order
    right = e.Framed(right, a);
  } else if (b.size() == a.channels && b.length != 1) {
    right = e.Column(right);
  }
  const std::map<std::string, const char*> ops = {
      {"add", "Add"}, {"subtract", "Sub"}, {"multiply", "Mul"}, {"divide", "Div"}};
  return e.Add(ops.at(e.type()), {e.In(0), right});
}

std::string ExportConstant(ElementExport& e) {
  return e.ForEachTimestep(e.Floats(Reshaped(*e.Slot("value"), {1, e.frame().size(), 1})), e.frame());
}

std::string ExportConcat(ElementExport& e) {
  Names parts;
  for (size_t i = 0; i < e.input_count(); ++i) parts.push_back(e.In(i));
  return e.Add("Concat", parts, {{"axis", int64_t{e.attributes().value("axis", "channels") == "length" ? 2 : 1}}});
}

std::string ExportSlice(ElementExport& e) {
  const auto whole = [&](const char* key, int64_t otherwise) {
    return e.Wholes({e.attributes().value(key, otherwise)});
  };
  const int64_t axis = e.attributes().value("axis", "channels") == "length" ? 2 : 1;
  return e.Add("Slice", {e.In(), whole("from", 0), whole("to", 0), e.Wholes({axis}), whole("step", 1)});
}

std::string ExportReshape(ElementExport& e) { return e.Framed(e.In(), e.frame()); }
std::string ExportTranspose(ElementExport& e) { return e.Add("Transpose", {e.In()}, {{"perm", Sizes{0, 2, 1}}}); }

std::string ExportActivation(ElementExport& e) {
  const std::string function = e.attributes().value("function", "");
  if (function != "softmax" && function != "log_softmax") return e.Apply(e.attributes(), e.In());
  return e.Framed(e.Apply(e.attributes(), e.Flat(e.In())), e.frame());
}

}  // namespace

const ElementExporters& MovingExporters() {
  static const auto& exporters = *new ElementExporters{
      {"activation", ExportActivation},
      {"add", ExportArithmetic},
      {"concat", ExportConcat},
      {"constant", ExportConstant},
      {"divide", ExportArithmetic},
      {"multiply", ExportArithmetic},
      {"pad", ExportPad},
      {"reshape", ExportReshape},
      {"slice", ExportSlice},
      {"subtract", ExportArithmetic},
      {"transpose", ExportTranspose},
  };
  return exporters;
}

}  // namespace rondo::convert
