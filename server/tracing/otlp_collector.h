#ifndef RONDO_SERVER_TRACING_OTLP_COLLECTOR_H_
#define RONDO_SERVER_TRACING_OTLP_COLLECTOR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "server/metrics/probes.h"
#include "server/tracing/span_exporter.h"
#include "server/tracing/tracing_options.h"

namespace rondo {

// Makes what sends spans to the collector of `options`, by OTLP over gRPC. Nothing is connected yet; a collector that
// is away may come later. Borrows the probe. NOT_FOUND and the like: the file of CAs cannot be read.
//
// The collector's completion queue is looked at, and nobody waits there: gRPC hands out the events of all connections
// of a process to whichever thread waits for any, so a thread that waited would take messages away from the serving
// loops for as long as a collector does not answer.
absl::StatusOr<std::unique_ptr<SpanExporter>> OpenOtlpExporter(const TracingOptions& options, TracingProbe* probe);

}  // namespace rondo

#endif  // RONDO_SERVER_TRACING_OTLP_COLLECTOR_H_
