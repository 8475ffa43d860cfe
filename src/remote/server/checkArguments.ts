import { checkUnknown, type ClassOf, type Shape } from '../../api/shapes/shape.ts';

/**
 * Checks the types of all arguments, since errors that mediasoup's methods raise for an unexpected object can't be
 * caught by the caller.
 * @param shapes of the parameters of the method
 * @param classOf returns the class of an object of mediasoup's that this client may use
 * @throws {RangeError} for a number that must be an integer, and is not
 * @throws {TypeError} naming the argument that is of a wrong type
 */
export function checkArguments(
  method: string,
  shapes: readonly Shape<never>[],
  args: readonly unknown[],
  classOf: ClassOf,
): void {
  for (let index = 0; index < args.length; ++index) {
    const arg = args[index];
    // JSON turns an omitted argument in the middle of a list into null.
    if (arg === undefined || arg === null) continue;
    const shape = shapes[index];
    const wrong = shape ? shape.check(arg, classOf) : checkUnknown(arg);
    if (!wrong) continue;
    const { text, ErrorClass } = wrong;
    throw new ErrorClass(text.startsWith(' ') ? `${method}(): argument ${index + 1}${text}` : `${method}()${text}`);
  }
}
