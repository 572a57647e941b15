import { Presets, SingleBar } from 'cli-progress'

/** The display of a long task's progress. */
export interface Progress {
  update: (done: number, total: number) => void
  stop: () => void
}

/** Opens a progress display: a bar on a terminal, a plain line every 3 s elsewhere. */
export function startProgress (task: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  const bar = new SingleBar({
    format: `${task} [{bar}] {percentage}% | {duration_formatted} | left: {eta_formatted}`,
    stream,
    hideCursor: true,
    noTTYOutput: true,
    notTTYSchedule: 3000
  }, Presets.shades_classic)
  let started = false
  return {
    update (done, total) {
      if (!started) bar.start(total, 0)
      started = true
      bar.update(Math.min(Math.round(done), total))
    },
    stop () {
      if (started) bar.stop()
    }
  }
}
