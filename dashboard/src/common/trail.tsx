import { Breadcrumbs } from '@mantine/core';
import { AnchorLink } from './anchor-link.js';

/** The way back from a page below a run: to all runs, the run, and the step if the page stands below one. */
export function Trail({ runId, step }: { runId: string; step?: number }) {
  return (
    <Breadcrumbs>
      <AnchorLink to="/runs">Training runs</AnchorLink>
      <AnchorLink to="/runs/$runId" params={{ runId }}>
        {runId}
      </AnchorLink>
      {step !== undefined && (
        <AnchorLink to="/runs/$runId/steps/$step" params={{ runId, step: String(step) }}>
          Step {step}
        </AnchorLink>
      )}
    </Breadcrumbs>
  );
}
