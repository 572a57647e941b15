/** The counts of an experiment, since the process began. */
export interface ExperimentCounts {
  /** Exposures by variation, each user once in a window. */
  readonly exposures: Map<string, number>
  /** Assignments for which the system that decides could not be asked in time. */
  unavailable: number
  /** Exposures and conversions that the system behind the experiment was not told of. */
  unreported: number
}

export interface ExperimentStats {
  /** @param id of the experiment: namespace, action, recommender and feature, separated by `/` */
  readonly of: (id: string) => ExperimentCounts
  readonly all: () => Iterable<readonly [string, ExperimentCounts]>
  /** Records of exposures that were dropped, since too many waited, or their targets did not take them. */
  droppedRecords: number
  /** Events and conversions with a recommendation id that is forged, or of another user, namespace or list: they are credited to nothing. */
  foreignIds: number
}

/** Creates the counts. They are bounded by the number of experiments that configurations have named. */
export function createExperimentStats (): ExperimentStats {
  const known = new Map<string, ExperimentCounts>()
  return {
    of (id) {
      const counts = known.get(id) ?? { exposures: new Map<string, number>(), unavailable: 0, unreported: 0 }
      known.set(id, counts)
      return counts
    },
    all: () => known,
    droppedRecords: 0,
    foreignIds: 0
  }
}
