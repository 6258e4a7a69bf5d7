import { asAway } from '../../store/placement/directory.ts';
import { createRouter } from '../create-router.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { notFound, onError } from '../problems.ts';
import { addRoutes, type RouteDependencies } from '../routes.ts';
import { createSourceFollowing } from '../source-following.ts';
import { type PlaceApp, takeOver } from './pass-on.ts';
import type { Place, Places } from './places.ts';

/** Creates what gives the app of each database beside the main one; it is made when it is first needed. */
export function createPlaceApps(
  dependencies: Omit<ApiDependencies, 'following'>,
  places: Places,
): (place: Place) => PlaceApp {
  const apps = new Map<Place, PlaceApp>();
  return (place) => {
    const known = apps.get(place);
    if (known) return known;
    const app = createApp(dependencies, places, place);
    apps.set(place, app);
    return app;
  };
}

function createApp(dependencies: Omit<ApiDependencies, 'following'>, places: Places, place: Place): PlaceApp {
  const { client, log, plan } = dependencies;
  const { db, background, taskQueue, names, searching } = place;
  const app = createRouter();
  const refuse = onError(log);
  app.onError((error, c) => refuse(asAway(error, place.name) as Error, c));
  app.notFound(notFound);
  app.use(takeOver);
  app.use(async (_c, next) => {
    await place.check();
    await next();
  });
  const following = createSourceFollowing(client, taskQueue);
  const own: RouteDependencies = {
    ...{ ...dependencies, db, taskQueue, names, places, searching, following },
    plan: { ...plan, background },
  };
  addRoutes(app, own);
  return app as PlaceApp;
}
