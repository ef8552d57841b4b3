// Products, convolutions, pools and norms as nodes of ONNX.

#include "model/convert/export/element_export.h"

namespace rondo::convert {
namespace {

std::string ExportDense(ElementExport& e) {
  Names inputs = {e.Flat(e.In()), e.Floats(*e.Slot("weight"))};
  if (const Array* bias = e.Slot("bias")) inputs.push_back(e.Floats(*bias));
  const std::string product = e.Add("Gemm", inputs, {{"transB", int64_t{1}}});
  return e.Add("Unsqueeze", {e.Activated(product), e.Wholes({2})});
}

std::string ExportEmbedding(ElementExport& e) {
  return e.Add("Unsqueeze", {e.Add("Gather", {e.Floats(*e.Slot("weight")), e.In()}), e.Wholes({2})});
}

std::string ExportStandardise(ElementExport& e) {
  const std::string centred = e.Add("Sub", {e.Flat(e.In()), e.Floats(*e.Slot("mean"))});
  return e.Column(e.Add("Div", {centred, e.Floats(*e.Slot("deviation"))}));
}

std::string ExportScale(ElementExport& e) {
  const Sizes shape = {e.frame().channels, 1};
  const std::string scaled = e.Add("Mul", {e.In(), e.Floats(Reshaped(*e.Slot("weight"), shape))});
  return e.Add("Add", {scaled, e.Floats(Reshaped(*e.Slot("bias"), shape))});
}

Names ConvInputs(ElementExport& e, const std::string& in) {
  Names inputs = {in, e.Floats(*e.Slot("weight"))};
  if (const Array* bias = e.Slot("bias")) inputs.push_back(e.Floats(*bias));
  return inputs;
}

OnnxAttributes ConvAttributes(ElementExport& e) {
  return {{"dilations", Sizes{e.attributes().value("dilation", int64_t{1})}},
          {"strides", Sizes{e.attributes().value("stride", int64_t{1})}},
          {"group", e.attributes().value("groups", int64_t{1})},
          {"pads", e.attributes().value("padding", Sizes{0, 0})}};
}

std::string ExportCausalConv(ElementExport& e) {
  const int64_t ahead = e.attributes().value("ahead", int64_t{0});
  const int64_t back = (e.attributes().value("kernel", int64_t{1}) - 1) * e.attributes().value("dilation", int64_t{1});
  const std::string past = e.AlongTime(e.WithPast(e.In(), back - ahead));
  const std::string padded = e.Padded(past, 0, ahead);
  const std::string product = e.Add("Conv", ConvInputs(e, padded), ConvAttributes(e));
  return e.Activated(e.BackFromTime(product));
}

std::string ExportConv(ElementExport& e) {
  return e.Activated(e.Add("Conv", ConvInputs(e, e.In()), ConvAttributes(e)));
}

std::string AddPoolNode(ElementExport& e, const std::string& in, bool average) {
  const int64_t kernel = e.attributes().value("kernel", int64_t{1});
  OnnxAttributes attributes = {{"kernel_shape", Sizes{kernel}},
                               {"strides", Sizes{e.attributes().value("stride", kernel)}},
                               {"pads", e.attributes().value("padding", Sizes{0, 0})},
                               {"ceil_mode", int64_t{e.attributes().value("partial", false) ? 1 : 0}}};
  if (average)
    attributes.emplace_back("count_include_pad", int64_t{e.attributes().value("count_padding", false) ? 1 : 0});
  return e.Add(average ? "AveragePool" : "MaxPool", {in}, attributes);
}

std::string ExportPool(ElementExport& e) { return AddPoolNode(e, e.In(), e.type() == "average_pool"); }
std::string ExportSequencePool(ElementExport& e) {
  const std::string pooled = AddPoolNode(e, e.AlongTime(e.In()), e.type() == "sequence_average_pool");
  return e.Framed(e.BackFromTime(pooled), e.frame());
}

std::string ExportReduce(ElementExport& e) {
  const OnnxAttributes keep = {{"keepdims", int64_t{1}}};
  if (e.type() == "sum") return e.Add("ReduceSum", {e.In(), e.Wholes({2})}, keep);
  return e.Add(e.type() == "mean" ? "ReduceMean" : "ReduceMax", {e.In()},
               {{"axes", Sizes{2}}, {"keepdims", int64_t{1}}});
}

std::string ExportLayerNorm(ElementExport& e) {
  const std::string norm =
      e.Add("LayerNormalization", {e.Flat(e.In()), e.Floats(*e.Slot("weight")), e.Floats(*e.Slot("bias"))},
            {{"axis", int64_t{-1}}, {"epsilon", e.attributes().value("epsilon", 1e-5)}});
  return e.Framed(norm, e.frame());
}

std::string ExportL2Norm(ElementExport& e) {
  const std::string flat = e.Flat(e.In());
  std::string length = e.Add("ReduceL2", {flat}, {{"axes", Sizes{-1}}, {"keepdims", int64_t{1}}});
  const double epsilon = e.attributes().value("epsilon", 0.0);
  if (epsilon > 0) length = e.Add("Clip", {length, e.Floats({{}, {epsilon}})});
  return e.Framed(e.Add("Div", {flat, length}), e.frame());
}

}  // namespace

const ElementExporters& LayerExporters() {
  static const auto& exporters = *new ElementExporters{
      {"dense", ExportDense},
      {"embedding", ExportEmbedding},
      {"standardise", ExportStandardise},
      {"scale", ExportScale},
      {"causal_conv1d", ExportCausalConv},
      {"conv1d", ExportConv},
      {"max_pool", ExportPool},
      {"average_pool", ExportPool},
      {"sequence_max_pool", ExportSequencePool},
      {"sequence_average_pool", ExportSequencePool},
      {"mean", ExportReduce},
      {"max", ExportReduce},
      {"sum", ExportReduce},
      {"layer_norm", ExportLayerNorm},
      {"l2_norm", ExportL2Norm},
  };
  return exporters;
}

}  // namespace rondo::convert
