#ifndef RONDO_MODEL_CONVERT_EXPORT_SERVED_EXPORT_H_
#define RONDO_MODEL_CONVERT_EXPORT_SERVED_EXPORT_H_

#include <string>

#include "model/convert/export/element_export.h"
#include "model/model_spec.h"

namespace rondo::convert {

// What a server does beside the network, as nodes of ONNX (model/feature_encoder.h, model/output_head.h).

// Adds the inputs X and, for a calendar, `times` or `local_times`. Returns what the network's first elements read.
ExportedValue ExportInputs(const ModelSpec& spec, OnnxBuilder* out);

// Turns what the network answers, `rows` [timesteps, numbers], into what a client sees.
std::string ExportOutputs(const ModelSpec& spec, const std::string& rows, OnnxBuilder* out);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_EXPORT_SERVED_EXPORT_H_
