/** Strategy of a peer: its own machine while that has room, then the less loaded of two others. */
import { concentrate, twoChoices, type Strategy } from '../placement/strategies.ts';

export const ownFirst: Strategy = (candidates, request) => {
  const own = candidates.filter(({ local, load }) => local === true && load < request.watermark);
  const isElsewhere = request.region !== undefined || request.near !== undefined;
  return own.length > 0 && !isElsewhere ? concentrate(own, request) : twoChoices(candidates, request);
};
