export { type ErrorCode, isTenonError, type Place, TenonError } from './errors.ts';
