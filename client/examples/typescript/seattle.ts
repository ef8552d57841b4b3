// Sends three days of weather to a live session, one by one, and prints what the model expects for the day after each.
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { ProtoGrpcType } from "./generated/inference.js";
import type { PredictResponse__Output } from "./generated/rondo/v1/PredictResponse.js";

const protos = fileURLToPath(new URL("../../../../proto", import.meta.url)); // from build/, where this runs
const definition = loadSync("rondo/v1/inference.proto", { includeDirs: [protos], longs: Number, defaults: true });
const { rondo } = grpc.loadPackageDefinition(definition) as unknown as ProtoGrpcType;

// temp_max, temp_min, precipitation, wind, as `rondo models` lists them.
const days = [[5.6, -3.2, 0, 1.2], [5.6, 0, 1.5, 2.3], [5, 1.7, 0, 1.7]];

// What a reply has for its one sequence; throws the reason if it has nothing.
function answer(reply: PredictResponse__Output | undefined): number[] {
  if (!reply || reply.goingAway) throw new Error("UNAVAILABLE: the server shuts down");
  const refusal = reply.status ?? reply.results[0].status; // the message's or its own
  if (refusal) throw new Error(`${grpc.status[refusal.code]}: ${refusal.message}`);
  return reply.results[0].values;
}

async function predict(address: string, model: string) {
  const client = new rondo.v1.Inference(address, grpc.credentials.createInsecure());
  const stream = client.streamPredict({ deadline: Date.now() + 10_000 }); // for the whole stream
  const replies = stream[Symbol.asyncIterator]();
  const sessionId = randomUUID();
  for (const [position, values] of days.entries()) {
    const times = [Date.UTC(2015, 0, 1 + position) / 1000];
    const endSession = position === days.length - 1;
    stream.write({ model, sequences: [{ sessionId, position, values, times, endSession }] });
    const tomorrow = answer((await replies.next()).value);
    console.log(`day ${position + 1}: tomorrow ${tomorrow.map((value) => value.toFixed(6)).join(" ")}`);
  }
  stream.end();
  client.close();
}

predict(process.env.RONDO_SERVER || "127.0.0.1:8001", process.argv[2] ?? "seattle").catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
