/** Facts about a controller whose own machine is a node that others use: a peer of a swarm. */
export interface PeerRole {
  /** URL by which others reach the nodes of this process. */
  readonly url: string;
  /** Number of pipes of a stream that leave a machine before others are asked for it. */
  readonly fanOut: number;
}
