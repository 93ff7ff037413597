import { Module } from '@nestjs/common';
import { SessionsModule } from '../sessions/sessions.module.js';
import { AuthService } from './auth.service.js';

@Module({ imports: [SessionsModule], providers: [AuthService], exports: [AuthService] })
export class AuthModule {}
