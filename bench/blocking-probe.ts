/** The prober of the benchmark of blocking, in a thread of its own: it asks for /health/live every 5 ms, and tells the slowest answer. */
import { Agent, get } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'

const { url } = workerData as { url: string }
const interval = 5
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

let [slowest, probes, failed] = [0, 0, 0]

function probe (): void {
  const began = performance.now()
  const done = (): void => {
    probes++
    slowest = Math.max(slowest, performance.now() - began)
  }
  get(`${url}/health/live`, { agent }, response => { response.resume().once('end', done) }).once('error', () => { failed++ })
}

setInterval(probe, interval)

/** Each message asks for the figures since the message before. */
parentPort!.on('message', () => {
  parentPort!.postMessage({ slowest, probes, failed })
  slowest = probes = failed = 0
})
