/** A telling part of the scenarios, of a client that moves from one of two central servers to the other one in the middle of each. */
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { mediaCodecs } from '../helpers/rtp.ts';
import { centralPairSystem, type System } from '../helpers/systems.ts';
import { describeEndings } from './endings.ts';

describe('RemoteMafaldaClient of two central servers', () => {
  let system: System;
  const scene = {
    get places() {
      return system.places;
    },
    createSpreadRouter: () =>
      system.mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs }, watermarkWorker: 0 }),
  };

  beforeAll(async () => {
    system = await centralPairSystem();
  });

  afterAll(async () => {
    expect(await system.close()).toEqual([]);
  });

  describeEndings(scene);
});
